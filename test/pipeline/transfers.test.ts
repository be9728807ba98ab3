import { expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { UpstreamFillSource } from '../../src/pipeline/fill-source.ts';
import { TransferSpeed } from '../../src/pipeline/transfer-speed.ts';
import { Transfers } from '../../src/pipeline/transfers.ts';
import { until } from '../support/until.ts';
import { FakeResponse } from './fake-response.ts';
import { fillFixture, key } from './fill-fixture.ts';

const strong = ['ETag', '"v1"'];

/** A fill that is shown, on a clock that the test moves. */
async function setup(size: number | undefined) {
  const { fill } = await fillFixture({ size });
  const clock = { now: 0 };
  const first = new FakeResponse(200, strong);
  const parts: ((response: FakeResponse) => void)[] = [];
  const source = new UpstreamFillSource(fill, first, {
    part: () => new Promise<FakeResponse>((answer) => parts.push(answer)),
    whole: () => Promise.reject(new Error('nobody asks')),
    connections: () => 1,
    next: () => 'http://upstream.example',
    now: () => clock.now,
  });
  const transfers = new Transfers();
  transfers.begin({
    fill,
    source,
    request: { url: key, ecosystem: 'generic', mount: '/files' },
    startedAt: Date.UTC(2026, 0, 1),
  });
  return { fill, first, parts, clock, transfers };
}

test('a fill is shown with what has arrived, how fast, and how long it will take', async () => {
  const { fill, first, clock, transfers } = await setup(10_000);
  const reader = fill.read();
  expect(transfers.figures()).toEqual({
    active: 1,
    fills: [
      {
        id: 1,
        url: key,
        ecosystem: 'generic',
        mount: '/files',
        startedAt: '2026-01-01T00:00:00.000Z',
        size: 10_000,
        bytes: 0,
        readers: 1,
        storing: true,
        speed: null,
        etaSeconds: null,
        segments: [
          {
            state: 'receiving',
            mirror: 'http://origin.test',
            first: 0,
            last: 9_999,
            bytes: 0,
            speed: null,
          },
        ],
      },
    ],
  });
  // 1,000 bytes a second.
  for (let at = 0; at < 4; at++) {
    first.data(Buffer.alloc(at === 0 ? 0 : 1_000));
    clock.now += 1_000;
  }
  first.data(Buffer.alloc(1_000));
  expect(transfers.figures().fills[0]).toMatchObject({
    bytes: 4_000,
    speed: 1_000,
    etaSeconds: 6,
    segments: [{ bytes: 4_000, speed: 1_000 }],
  });
  reader.close();
});

test('each connection is shown with its range and its mirror; one that was only asked for has none', async () => {
  const { fill, first, parts, transfers } = await setup(8 * 2 ** 20);
  first.data(Buffer.alloc(1_000));
  // Far ahead: worth a connection of its own.
  const reader = fill.read({ first: 4 * 2 ** 20, last: 8 * 2 ** 20 - 1 });
  const segments = () => transfers.figures().fills[0]?.segments;
  const range = { first: 4 * 2 ** 20, last: 8 * 2 ** 20 - 1 };
  expect(segments()).toEqual([
    expect.objectContaining({ state: 'receiving', first: 0, last: range.first - 1, bytes: 1_000 }),
    { state: 'asked', mirror: null, ...range, bytes: 0, speed: null },
  ]);
  const content = ['Content-Range', `bytes ${range.first}-${range.last}/${8 * 2 ** 20}`];
  const part = Object.assign(new FakeResponse(206, [...strong, ...content]), {
    mirror: 'http://mirror.test',
  });
  parts[0]?.(part);
  await until(() => part.consumed);
  part.data(Buffer.alloc(500));
  expect(segments()?.[1]).toMatchObject({
    state: 'receiving',
    mirror: 'http://mirror.test',
    ...range,
    bytes: 500,
  });
  reader.close();
});

test('of a body without a length neither the end nor the time to it is known', async () => {
  const { first, clock, transfers } = await setup(undefined);
  first.data(Buffer.alloc(10));
  clock.now += 1_000;
  first.data(Buffer.alloc(1_000));
  expect(transfers.figures().fills[0]).toMatchObject({
    size: null,
    bytes: 1_010,
    speed: 1_010,
    etaSeconds: null,
    segments: [{ first: 0, last: null }],
  });
});

test('a fill that has settled is not shown any more, whether it came to its end or not', async () => {
  const whole = await setup(3);
  whole.first.data(Buffer.from('abc'));
  whole.first.end();
  await whole.fill.settled;
  expect(whole.transfers.figures()).toEqual({ active: 0, fills: [] });
  const cut = await setup(3);
  const error = { origin: 'upstream' } as const;
  cut.fill.fail(new GatewayError('http_response_incomplete', 'cut', error));
  await cut.fill.settled;
  expect(cut.transfers.figures()).toEqual({ active: 0, fills: [] });
});

test('of many fills the oldest are shown, and how many there are', async () => {
  const { fill, transfers } = await setup(10);
  const idle = { lanes: [], now: () => 0 };
  for (let i = 0; i < 300; i++) {
    const request = { url: `${key}/${i}`, ecosystem: 'generic' };
    transfers.begin({ fill, source: idle, request, startedAt: 0 });
  }
  const { active, fills } = transfers.figures();
  expect(active).toBe(301);
  expect(fills).toHaveLength(256);
  expect(fills[0]?.url).toBe(key);
  expect(fills[1]).toMatchObject({ url: `${key}/0`, mount: null, segments: [] });
});

test('the speed follows a change within some seconds, without a jump', () => {
  const speed = new TransferSpeed();
  expect(speed.look({ at: 0, bytes: 0, current: undefined })).toBeUndefined();
  expect(speed.look({ at: 100, bytes: 1_000, current: 10 })).toBe(10);
  // At 110 bytes a millisecond from now on.
  const seen = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((second) =>
    speed.look({ at: 100 + second * 1_000, bytes: 1_000 + second * 110_000, current: 0 }),
  );
  expect(seen[0]).toBeCloseTo(10 + 100 * (1 - Math.exp(-1 / 3)));
  expect(seen).toEqual(seen.toSorted((a = 0, b = 0) => a - b));
  expect(seen.at(-1)).toBeGreaterThan(100);
  expect(seen.at(-1)).toBeLessThan(110);
});

test('looks that follow each other closely do not make the speed jitter', () => {
  const speed = new TransferSpeed();
  speed.look({ at: 0, bytes: 0, current: 10 });
  expect(speed.look({ at: 1, bytes: 100_000, current: 99 })).toBe(10);
  expect(speed.look({ at: 1_000, bytes: 10_000, current: 99 })).toBeCloseTo(10);
});

test('whoever looks after a long while sees how fast it is now', () => {
  const speed = new TransferSpeed();
  speed.look({ at: 0, bytes: 0, current: 10 });
  expect(speed.look({ at: 60_000, bytes: 600_000, current: 0 })).toBe(0);
});
