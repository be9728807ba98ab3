import { describe, expect, test } from 'vitest';
import { LaneCount } from '../../src/upstream/lane-count.ts';

/** Samples every 10 ms; `rate` says how many bytes a millisecond a number of connections brings. */
function watch(count: LaneCount, ms: number, rate: (lanes: number) => number): number[] {
  const targets = [count.target];
  let bytes = 0;
  for (let at = 0; at < ms; at += 10) {
    bytes += rate(count.target) * 10;
    count.observe({ at, bytes, flowing: count.target });
    if (count.target !== targets.at(-1)) targets.push(count.target);
  }
  return targets;
}

describe('the number of connections', () => {
  test('is one until there is reason for more', () => {
    expect(new LaneCount({ max: 16 }).target).toBe(1);
  });

  test('grows while the sum rises, up to what is allowed', () => {
    const count = new LaneCount({ max: 16 });
    count.begin(100);
    expect(watch(count, 2_000, (lanes) => lanes * 100)).toEqual([12, 16]);
  });

  test('goes back when the sum does not rise', () => {
    const count = new LaneCount({ max: 16 });
    count.begin(100);
    expect(watch(count, 2_000, () => 100)).toEqual([12, 1]);
  });

  test('stays where the sum rises a little', () => {
    const count = new LaneCount({ max: 16 });
    count.begin(100);
    expect(watch(count, 2_000, (lanes) => Math.min(lanes, 3) * 100)).toEqual([12]);
  });

  test('tries one more from time to time', () => {
    const count = new LaneCount({ max: 16 });
    count.begin(100);
    const targets = watch(count, 4_000, (lanes) => (lanes <= 2 ? lanes * 100 : 100));
    expect(targets.slice(0, 3)).toEqual([12, 1, 2]);
  });

  test('is not judged by connections that have not begun', () => {
    const count = new LaneCount({ max: 8 });
    count.begin(100);
    for (let at = 0; at < 2_000; at += 10) count.observe({ at, bytes: at, flowing: 1 });
    expect(count.target).toBe(8);
  });

  test('is what could be had, for a while that becomes longer', () => {
    const count = new LaneCount({ max: 8 });
    count.begin(100);
    const rest = (from: number): number => {
      count.refused(from);
      const { target } = count;
      for (let at = from; ; at += 10) {
        count.observe({ at, bytes: at * 100, flowing: target });
        if (count.target > target) return at - from;
      }
    };
    const rests = [0, 10_000, 20_000, 30_000, 40_000, 50_000].map(rest);
    expect(rests).toEqual(rests.toSorted((a, b) => a - b));
    expect(rests[0]).toBeLessThan(500);
    expect(rests.at(-1)).toBeGreaterThan(2_500);
    expect(rests.at(-1)).toBeLessThan(5_000);
  });

  test('takes refusals at once for one, however many were too many', () => {
    const count = new LaneCount({ max: 32 });
    count.begin(100);
    const begun = count.target;
    for (let at = 0; at < 5; at += 1) count.refused(at);
    expect(count.target).toBe(begun - 5);
    let at = 5;
    while (count.target < begun - 4) {
      at += 10;
      count.observe({ at, bytes: at * 100, flowing: count.target });
    }
    expect(at).toBeLessThan(500);
  });
});
