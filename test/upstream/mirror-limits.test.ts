import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairSemaphore } from '../../src/upstream/fair-semaphore.ts';
import { MirrorGates } from '../../src/upstream/mirror-gates.ts';
import { RequestBudget } from '../../src/upstream/request-budget.ts';
import { TokenBucket } from '../../src/upstream/token-bucket.ts';

describe('places', () => {
  it('are taken in turns by those who wait, however many one of them wants', () => {
    const places = new FairSemaphore();
    const entered: string[] = [];
    expect(places.tryEnter(1)).toBe(true);
    for (const key of ['a', 'a', 'a', 'b', 'c', 'b']) {
      expect(places.tryEnter(1)).toBe(false);
      places.wait(key, 1, () => entered.push(key));
    }
    expect(places.queued).toBe(6);
    for (let i = 0; i < 6; i += 1) places.leave();
    expect(entered.join('')).toBe('abcaba');
    expect(places.active).toBe(1);
  });

  it('are never more than the limit, and nobody waits while one is free', () => {
    const steps = fc.array(fc.record({ enter: fc.boolean(), key: fc.constantFrom('a', 'b', 'c') }));
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (actions, limit) => {
        const places = new FairSemaphore();
        let inside = 0;
        for (const { enter, key } of actions) {
          if (!enter) {
            if (inside > 0) {
              inside -= 1;
              places.leave();
            }
          } else if (places.tryEnter(limit)) inside += 1;
          else {
            places.wait(key, limit, () => {
              inside += 1;
            });
          }
          expect(places.active).toBe(inside);
          expect(inside).toBeLessThanOrEqual(limit);
          if (places.queued > 0) expect(inside).toBe(limit);
        }
      }),
    );
  });

  it('whoever gives up leaves the queue', async () => {
    const gates = new MirrorGates();
    const origin = 'http://a.test';
    expect(gates.enter(origin, { key: 'a', limit: 1 }, undefined)).toBeUndefined();
    const giving = new AbortController();
    const waiting = gates.enter(origin, { key: 'a', limit: 1 }, giving.signal);
    const patient = gates.enter(origin, { key: 'b', limit: 1 }, undefined);
    expect(gates.queued(origin)).toBe(2);
    giving.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'client_gone' });
    expect(gates.queued(origin)).toBe(1);
    gates.leave(origin);
    await patient;
    expect(gates.active(origin)).toBe(1);
    gates.leave(origin);
    expect(gates.active(origin)).toBe(0);
  });
});

it('a bucket gives its rate in the long run and lets wait for exactly its debt', () => {
  const rate = fc.integer({ min: 1_024, max: 1e9 });
  const pieces = fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(rate, pieces, (bytesPerSecond, taken) => {
      const bucket = new TokenBucket(bytesPerSecond, 0);
      let now = 0;
      for (const bytes of taken) now += bucket.take(bytes, now);
      const total = taken.reduce((sum, bytes) => sum + bytes, 0);
      const burst = Math.max(65_536, bytesPerSecond / 10);
      expect(now).toBeGreaterThanOrEqual(((total - burst) / bytesPerSecond) * 1000 - 1e-3);
      expect(now).toBeLessThanOrEqual((total / bytesPerSecond) * 1000 + 1e-3);
    }),
  );
});

it('a budget is never more than its share of the requests', () => {
  const budget = new RequestBudget(0.05, { start: 0, most: 5 });
  let spent = 0;
  for (let requests = 1; requests <= 1_000; requests += 1) {
    budget.earn();
    if (budget.spend()) spent += 1;
    expect(spent).toBeLessThanOrEqual(requests * 0.05 + 1e-6);
  }
  expect(spent).toBe(50);
});
