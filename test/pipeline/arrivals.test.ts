import { describe, expect, test } from 'vitest';
import { Arrivals } from '../../src/pipeline/arrivals.ts';

const a = { first: 0, last: 9 };
const b = { first: 30, last: 39 };

describe('what an earlier fill left', () => {
  test('need not be brought, but cannot be read before it was checked', () => {
    const arrivals = new Arrivals(50);
    arrivals.claim([a, b]);
    expect(arrivals.claimed).toBe(true);
    expect(arrivals.missing()).toEqual([
      { first: 10, last: 29 },
      { first: 40, last: 49 },
    ]);
    expect(arrivals.upTo(0)).toBe(0);
    expect(arrivals.takenUpTo(0)).toBe(10);
    expect(arrivals.nextAfter(12)).toBe(30);
    arrivals.checked(a, true);
    expect(arrivals.upTo(0)).toBe(10);
    expect(arrivals.bytes).toBe(10);
    expect(arrivals.brought).toBe(0);
  });

  test('is missing when it is not right', () => {
    const arrivals = new Arrivals(50);
    arrivals.claim([a, b]);
    arrivals.add(10, 20);
    arrivals.checked(a, false);
    expect(arrivals.missing()).toEqual([a, { first: 40, last: 49 }]);
    expect(arrivals.takenUpTo(10)).toBe(40);
    arrivals.checked(b, true);
    expect(arrivals.claimed).toBe(false);
    expect(arrivals.upTo(10)).toBe(40);
    expect(arrivals).toMatchObject({ bytes: 30, brought: 20 });
    arrivals.add(0, 10);
    expect(arrivals.missing()).toEqual([{ first: 40, last: 49 }]);
  });
});
