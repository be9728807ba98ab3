import { expect, test } from 'vitest';
import { LaneWaits } from '../../src/pipeline/lane-waits.ts';

test('waits are added up, the one that goes on as far as it has come', () => {
  const waits = new LaneWaits();
  waits.begin(100);
  waits.begin(120);
  expect(waits.total(150)).toBe(50);
  waits.end(160);
  waits.end(170);
  expect(waits.total(500)).toBe(60);
  waits.begin(500);
  expect(waits.total(510)).toBe(70);
});
