import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choices, shuffled, zipfOrder } from '../../loadtest/fixtures/choices.ts';

test('the same seed chooses the same, and another one something else', () => {
  const take = (seed: number): number[] => Array.from({ length: 20 }, choices(seed));
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
  expect(take(7).every((number) => number >= 0 && number < 1)).toBe(true);
});

test('a zipf order names only what is there, the first most often', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(), (count, seed) => {
      const order = zipfOrder(count, 200, { exponent: 0.9, seed });
      expect(order).toHaveLength(200);
      expect(order.every((index) => index < count)).toBe(true);
    }),
    { numRuns: 30 },
  );
  const counts = new Map<number, number>();
  for (const index of zipfOrder(100, 100_000, { exponent: 1, seed: 1 })) {
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const times = (other: number): number => (counts.get(0) ?? 0) / (counts.get(other) ?? 0);
  // By the law of zipf the first is asked for twice as often as the second, ten times the tenth.
  expect(times(1)).toBeCloseTo(2, 0);
  expect(times(9)).toBeGreaterThan(8);
  expect(times(9)).toBeLessThan(12);
});

test('what is shuffled has all that it had', () => {
  const list = Array.from({ length: 50 }, (_, i) => i);
  expect(shuffled(list, 3)).not.toEqual(list);
  expect(shuffled(list, 3).toSorted((a, b) => a - b)).toEqual(list);
});
