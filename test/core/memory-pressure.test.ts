import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  allowance,
  type PressureLevel,
  pressureLevel,
  pressureLevels,
  usedShare,
} from '../../src/core/memory-pressure.ts';

test.each<[share: number, previous: PressureLevel, level: PressureLevel]>([
  [0, 'none', 'none'],
  [0.7499, 'none', 'none'],
  [0.75, 'none', 'elevated'],
  [0.85, 'none', 'high'],
  [0.93, 'none', 'critical'],
  [1.4, 'none', 'critical'],
  // What has begun ends lower than it began.
  [0.7, 'elevated', 'elevated'],
  [0.65, 'elevated', 'elevated'],
  [0.6499, 'elevated', 'none'],
  [0.8499, 'elevated', 'elevated'],
  [0.85, 'elevated', 'high'],
  [0.8, 'high', 'high'],
  [0.7499, 'high', 'elevated'],
  [0.6499, 'high', 'none'],
  [0.9299, 'high', 'high'],
  [0.93, 'high', 'critical'],
  [0.86, 'critical', 'critical'],
  [0.8499, 'critical', 'high'],
  [0.74, 'critical', 'elevated'],
  [0.1, 'critical', 'none'],
])('%d of the limit after %s is %s', (share, previous, level) => {
  expect(pressureLevel(share, previous)).toBe(level);
});

const share = fc.double({ min: 0, max: 2, noNaN: true });
const level = fc.constantFrom(...pressureLevels);
const grave = (one: PressureLevel) => pressureLevels.indexOf(one);

test('a level that was reached stays while nothing changes', () => {
  fc.assert(
    fc.property(share, level, (used, previous) => {
      const now = pressureLevel(used, previous);
      expect(pressureLevel(used, now)).toBe(now);
    }),
  );
});

test('more memory or a graver level before never makes the level less grave', () => {
  fc.assert(
    fc.property(share, share, level, level, (a, b, c, d) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      const [light, heavy] = grave(c) < grave(d) ? [c, d] : [d, c];
      const before = grave(pressureLevel(less, light));
      expect(grave(pressureLevel(more, heavy))).toBeGreaterThanOrEqual(before);
    }),
  );
});

test('the graver the level the less it allows: first of the tier, then of the connections', () => {
  const all = pressureLevels.map(allowance);
  expect(all[0]).toEqual({ tier: 1, connections: 1 });
  for (const [i, { tier, connections }] of all.entries()) {
    const before = all[i - 1];
    if (!before) continue;
    expect(tier).toBeLessThan(before.tier);
    expect(connections).toBeLessThanOrEqual(before.connections);
  }
  expect(allowance('elevated').connections).toBe(1);
  expect(allowance('high').connections).toBeLessThan(1);
});

test.each([
  [{ rss: 50, heapUsed: 10, limit: 100, heapLimit: 100 }, 0.5],
  [{ rss: 50, heapUsed: 80, limit: 100, heapLimit: 100 }, 0.8],
  [{ rss: 150, heapUsed: 10, limit: 100, heapLimit: 40 }, 1.5],
])('of %o the share is %d', (figures, used) => {
  expect(usedShare(figures)).toBe(used);
});
