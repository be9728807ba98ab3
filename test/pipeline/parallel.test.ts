import { expect, onTestFinished, test } from 'vitest';
import type { ByteRange } from '../../src/core/body.ts';
import { LaneBudget } from '../../src/pipeline/lane-budget.ts';
import { Parallel } from '../../src/pipeline/parallel.ts';

const mebibyte = 2 ** 20;
const size = 256 * mebibyte;

/** Milliseconds: how long it is watched, and from when on something is so. */
interface Moments {
  readonly forMs?: number;
  readonly heldMs?: number;
  readonly servedFrom?: number;
  readonly placeFrom?: number;
  readonly stoppedFrom?: number;
}

/** What is asked for while one connection brings so much a millisecond, this thread being so busy. */
function watched(
  rate: number,
  busyShare: (ms: number) => number,
  { forMs = 200, heldMs = 0, servedFrom = 0, placeFrom = 0, stoppedFrom = forMs }: Moments = {},
): readonly ByteRange[] {
  let at = 0;
  let busy = 0;
  let bytes = 0;
  const asked: ByteRange[] = [];
  const parallel = new Parallel({
    most: () => 8,
    view: () => ({
      lanes: [
        { position: bytes, limit: size, rate, open: true, stalled: false },
        ...asked.map(({ first, last }) => {
          return { position: first, limit: last + 1, rate, open: false, stalled: false };
        }),
      ],
      flowing: 1,
      rates: new Map(),
      waiting: [bytes],
      missing: [{ first: bytes, last: size - 1 }],
      bytes,
    }),
    next: () => (at < placeFrom ? undefined : 'http://upstream.example'),
    ask: (range) => asked.push(range),
    servesRanges: servedFrom === 0,
    latency: 10,
    now: () => at,
    budget: new LaneBudget(() => busy),
  });
  onTestFinished(() => parallel.stop());
  for (let step = 0; step < forMs / 10; step++) {
    at += 10;
    busy += 10 * busyShare(at);
    bytes += 10 * rate;
    at -= heldMs;
    parallel.held();
    at += heldMs;
    parallel.resumed();
    if (at > servedFrom) parallel.served();
    if (at > stoppedFrom) parallel.stop();
    parallel.took();
  }
  return asked;
}

test('a slow upstream is asked over more connections', () => {
  expect(watched(20_000, () => 0.3)).not.toHaveLength(0);
});

test('at once where the body would take one connection very long', () => {
  expect(watched(size / 12_000, () => 0.3, { forMs: 20 })).not.toHaveLength(0);
  expect(watched(size / 8_000, () => 0.3, { forMs: 30 })).toHaveLength(0);
  expect(watched(size / 8_000, () => 0.3, { forMs: 40 })).not.toHaveLength(0);
});

test('for little at first, in whole bytes, and for more as more has come', () => {
  const lengths = watched(20_001.5, () => 0.3).map(({ first, last }) => last - first + 1);
  expect(lengths.every(Number.isSafeInteger)).toBe(true);
  expect(lengths[0]).toBe(2 * mebibyte);
});

test('over one more until the upstream has shown that it serves ranges', () => {
  const slow = [20_000, () => 0.3] as const;
  expect(watched(...slow, { servedFrom: Number.POSITIVE_INFINITY })).toHaveLength(1);
  expect(watched(...slow, { servedFrom: 150 })).toHaveLength(7);
  expect(watched(...slow, { servedFrom: 150, stoppedFrom: 140 })).toHaveLength(1);
});

test('and that one is asked for when there is a place for it', () => {
  const slow = [20_000, () => 0.3] as const;
  const place = { placeFrom: 100 };
  expect(watched(...slow, { ...place, servedFrom: Number.POSITIVE_INFINITY })).toHaveLength(1);
  expect(watched(...slow, { ...place, servedFrom: 150 })).toHaveLength(7);
});

test('a fast one is not: it would bring nothing', () => {
  expect(watched(size / 2_000, () => 0.3)).toHaveLength(0);
});

test('nor is one of which a busy gateway cannot take more', () => {
  expect(watched(20_000, () => 1)).toHaveLength(0);
  expect(watched(20_000, (ms) => (ms < 100 ? 1 : 0.3))).not.toHaveLength(0);
});

test('nor is one whose bytes wait for what takes them', () => {
  expect(watched(20_000, () => 0, { heldMs: 9 })).toHaveLength(0);
  expect(watched(20_000, () => 0, { heldMs: 5 })).not.toHaveLength(0);
});
