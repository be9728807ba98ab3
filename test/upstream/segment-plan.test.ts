import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeSet } from '../../src/policy/byte-range.ts';
import {
  type Lane,
  nextSegment,
  type Situation,
  segmentSizes,
} from '../../src/upstream/segment-plan.ts';
import { type SimulatedMirror, simulate } from './segment-simulation.ts';

const MiB = 1024 * 1024;
const size = 256 * MiB;
/** Bytes a millisecond. */
const rate = 20_000;

function situation(changes: Partial<Situation> = {}): Situation {
  return {
    missing: [{ first: 0, last: size - 1 }],
    lanes: [],
    waiting: [0],
    until: Number.POSITIVE_INFINITY,
    rate,
    latency: 10,
    ...changes,
  };
}

function lane(changes: Partial<Lane> = {}): Lane {
  return { position: 0, limit: size, rate, open: false, stalled: false, ...changes };
}

describe('an idle connection', () => {
  test('asks for about as much as it brings in a second, in whole steps', () => {
    const { first, last } = nextSegment(situation()) ?? { first: 0, last: -1 };
    expect(first).toBe(0);
    expect((last + 1) % segmentSizes.stepBytes).toBe(0);
    expect(Math.abs(last + 1 - rate * 1_000)).toBeLessThanOrEqual(segmentSizes.stepBytes / 2);
  });

  test.each([
    ['slow', 1, segmentSizes.minBytes],
    ['fast', 1_000_000, segmentSizes.maxBytes],
  ])('that is %s stays within the bounds', (_what, itsRate, bytes) => {
    expect(nextSegment(situation({ rate: itsRate }))).toEqual({ first: 0, last: bytes - 1 });
  });

  test('keeps a distance to the ordinary response, which goes on', () => {
    const lanes = [lane({ open: true, position: 5 * MiB })];
    const missing = [{ first: 5 * MiB, last: size - 1 }];
    const range = nextSegment(situation({ lanes, missing, waiting: [5 * MiB] }));
    expect(range?.first).toBeGreaterThanOrEqual(5 * MiB + rate * 900);
  });

  test('takes what a reader waits for before all else', () => {
    const lanes = [lane({ open: true })];
    const range = nextSegment(situation({ lanes, waiting: [0, 200 * MiB] }));
    expect(range?.first).toBe(200 * MiB);
  });

  test('asks for nothing that is not wanted yet', () => {
    const lanes = [lane({ position: 0, limit: 8 * MiB, rate: 1_000_000 })];
    expect(nextSegment(situation({ lanes, until: 8 * MiB }))).toBeUndefined();
    const range = nextSegment(situation({ lanes, until: 8 * MiB + 100 }));
    expect(range).toEqual({ first: 8 * MiB, last: 8 * MiB + 99 });
  });

  test('takes so much of the end of the slowest run that both finish at once', () => {
    const slow = lane({ position: 0, limit: 64 * MiB, rate: 1_000 });
    const quick = lane({ position: 64 * MiB, limit: size, rate: 1_000_000 });
    const range = nextSegment(situation({ lanes: [slow, quick], rate: 3_000, latency: 0 }));
    expect(range?.last).toBe(64 * MiB - 1);
    expect(Math.abs((range?.first ?? 0) - 16 * MiB)).toBeLessThan(2);
  });

  test('takes all of a run that nothing comes of any more', () => {
    const lanes = [lane({ position: 7, limit: 300, stalled: true }), lane({ position: 300 })];
    const missing = [{ first: 7, last: size - 1 }];
    expect(nextSegment(situation({ lanes, missing }))).toEqual({ first: 7, last: 299 });
  });

  test('does not split what is finished as soon without it', () => {
    const lanes = [lane({ position: size - MiB, limit: size })];
    const missing = [{ first: size - MiB, last: size - 1 }];
    expect(nextSegment(situation({ lanes, missing }))).toBeUndefined();
  });
});

test('nothing is taken from a connection that was not measured yet', () => {
  const lanes = [lane({ rate: undefined })];
  expect(nextSegment(situation({ lanes }))).toBeUndefined();
});

test('whatever has arrived and whoever is at work, what is asked for is missing and nobody brings it', () => {
  const place = fc.integer({ min: 0, max: size - 1 });
  const run = fc
    .tuple(place, place)
    .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
  const lanes = fc.array(
    fc.record({ run, rate: fc.integer({ min: 1, max: 100_000 }), stalled: fc.boolean() }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(fc.array(run), lanes, fc.array(place), place, (there, atWork, waiting, until) => {
      const present = new RangeSet();
      for (const each of there) present.add(each);
      const missing = present.missing({ first: 0, last: size - 1 });
      const taken = new RangeSet();
      const all = atWork.map((each): Lane => {
        taken.add(each.run);
        const { first, last } = each.run;
        return lane({ ...each, position: first, limit: last + 1 });
      });
      const range = nextSegment(situation({ missing, lanes: all, waiting, until }));
      const free = missing
        .flatMap((gap) => taken.missing(gap))
        .filter(({ first }) => first < until);
      if (free.length === 0) {
        // Then it is the end of somebody's run.
        if (range)
          expect(all.some(({ limit }) => range.last === Math.min(limit, until) - 1)).toBe(true);
        return;
      }
      expect(range).toBeDefined();
      const { first, last } = range ?? { first: 0, last: 0 };
      expect(first).toBeLessThanOrEqual(last);
      expect(last).toBeLessThan(until);
      expect(free.some((gap) => first >= gap.first && last <= gap.last)).toBe(true);
    }),
  );
});

describe('a download of 256 MiB by the plan', () => {
  const steady = (perConnection: number, more: Partial<SimulatedMirror> = {}): SimulatedMirror => ({
    perConnection: () => perConnection,
    latency: 10,
    connections: 8,
    ...more,
  });

  test('takes hardly longer than eight connections can', () => {
    const { ms, lanes } = simulate(size, [steady(rate)]);
    expect(lanes).toBe(8);
    expect(ms / (size / (8 * rate))).toBeLessThan(1.08);
  });

  test('makes use of uneven mirrors together', () => {
    const mirrors = [40, 20, 10].map((MBs) => steady(MBs * 1_000, { connections: 4 }));
    const { ms } = simulate(4 * size, mirrors, 16);
    expect(ms / ((4 * size) / 280_000)).toBeLessThan(1.1);
  });

  test('goes back to one connection where more bring nothing', () => {
    const { ms, requests } = simulate(size, [steady(rate, { total: rate })]);
    expect(requests).toBeLessThan(20);
    expect(ms / (size / rate)).toBeLessThan(1.05);
  });

  test('of what one connection brings in no time has only that one', () => {
    expect(simulate(size, [steady(1_000_000)])).toMatchObject({ requests: 1, lanes: 1 });
  });

  test('does without a mirror that falls silent', () => {
    const silent = steady(0, { perConnection: (now) => (now < 500 ? rate : 0), connections: 4 });
    const { ms } = simulate(size, [steady(rate / 2, { connections: 4 }), silent]);
    expect(ms / (size / (2 * rate))).toBeLessThan(1.3);
  });
});
