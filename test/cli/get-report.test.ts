import { expect, test } from 'vitest';
import { type GetItem, GetViews, placesOf } from '../../src/cli/get-report.ts';
import type { FileProgress } from '../../src/gateway-get-file.ts';

const source = (origin: string, connections: number, bytes: number) => ({
  origin,
  connections,
  bytes,
});

test('what a download is like at a moment: speed and time left from its last bytes', () => {
  let progress: FileProgress = { received: 0, size: 1000, resumed: 0, sources: [], kept: 0 };
  const item: GetItem = { url: 'u', name: 'n', target: '/n', progress: () => progress };
  const views = new GetViews();
  views.add(item);
  expect(views.look(0)).toMatchObject([{ bytesPerSecond: undefined, secondsLeft: undefined }]);
  progress = { ...progress, received: 250 };
  expect(views.look(500)).toMatchObject([{ received: 250, bytesPerSecond: 500, secondsLeft: 1.5 }]);
  progress = { ...progress, size: undefined };
  expect(views.look(600)).toMatchObject([{ secondsLeft: undefined }]);
  views.delete(item);
  expect(views.look(700)).toEqual([]);
});

test('places: those that bring something now, the busiest first; at rest all', () => {
  const progress = { received: 0, size: 1, resumed: 0, kept: 0 };
  const sources = [
    source('https://a.test', 1, 9),
    source('http://b.test:81', 3, 1),
    source('https://c.test', 0, 99),
  ];
  expect(placesOf({ ...progress, sources })).toEqual(['b.test:81 (3)', 'a.test']);
  const rest = sources.map((each) => ({ ...each, connections: 0 }));
  expect(placesOf({ ...progress, sources: rest })).toEqual(['c.test', 'a.test', 'b.test:81']);
});
