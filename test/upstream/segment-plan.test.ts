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

  test('asks a mirror that nobody knows for little at first', () => {
    const { last } = nextSegment(situation({ untried: true })) ?? { last: 0 };
    expect(last).toBeLessThan(rate * 300);
    const fast = situation({ untried: true, rate: 100_000.5, latency: 0.7 });
    expect(nextSegment(fast)).toEqual({ first: 0, last: 4 * MiB - 1 });
  });

  test('asks for what is there when readers come to it, not later', () => {
    const others = Array.from({ length: 7 }, (_, i) =>
      lane({ position: 4 * i * MiB, limit: 4 * (i + 1) * MiB }),
    );
    const near = nextSegment(situation({ lanes: others })) ?? { first: 0, last: 0 };
    expect(near.first).toBe(28 * MiB);
    const ms = (near.last - near.first + 1) / rate;
    expect(ms).toBeLessThan((3 * near.first) / (7 * rate));
  });

  test('helps a slow one at whose end readers would wait', () => {
    const slow = lane({ position: 0, limit: 16 * MiB, rate: rate / 10 });
    const { first, last } = nextSegment(situation({ lanes: [slow] })) ?? { first: 0, last: 0 };
    expect(last + 1).toBe(slow.limit);
    expect(first / (rate / 10)).toBeCloseTo((last - first) / rate + 10, -1);
    // Nobody waits for what is far ahead of all readers.
    const far = lane({ position: 200 * MiB, limit: 204 * MiB, rate: rate / 10 });
    const quick = lane({ position: 0, limit: 8 * MiB, rate });
    expect(nextSegment(situation({ lanes: [quick, far] }))?.first).toBe(8 * MiB);
  });

  test('keeps a distance to the ordinary response, which goes on', () => {
    const lanes = [lane({ open: true, position: 5 * MiB })];
    const missing = [{ first: 5 * MiB, last: size - 1 }];
    const range = nextSegment(situation({ lanes, missing, waiting: [5 * MiB] }));
    expect(range?.first).toBeGreaterThanOrEqual(5 * MiB + rate * 450);
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

  test('leaves the last bytes to those who have them before it would', () => {
    const missing = [{ first: size - 2 * MiB, last: size - 1 }];
    const quick = [lane({ position: size - 2 * MiB, limit: size - MiB, rate: 40_000 })];
    const slow = { missing, lanes: quick, latency: 0, rate: 10_000 };
    expect(nextSegment(situation(slow))).toBeUndefined();
    // Alone, or asked for by a reader, it takes all.
    const rest = { first: size - MiB, last: size - 1 };
    expect(nextSegment(situation({ ...slow, missing: [rest], lanes: [] }))).toEqual(rest);
    expect(nextSegment(situation({ ...slow, waiting: [size - MiB] }))).toEqual(rest);
    // As quick as the others, it takes its half.
    const half = { first: size - MiB, last: size - 1 };
    expect(nextSegment(situation({ ...slow, rate: 40_000 }))).toEqual(half);
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

test('what those at work would have later than it is taken, however little it is', () => {
  const lanes = [lane({ position: 0, limit: 1, rate: 1 })];
  const missing = [{ first: 0, last: 20_001 }];
  expect(nextSegment(situation({ lanes, missing }))).toEqual({ first: 1, last: 20_001 });
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
      // The end of somebody's run, who is slow.
      const isStolen = all.some(({ limit }) => range?.last === Math.min(limit, until) - 1);
      if (free.length === 0) {
        if (range) expect(isStolen).toBe(true);
        return;
      }
      if (range === undefined) {
        // The others have it sooner.
        const others = all.reduce((sum, lane) => sum + (lane.rate ?? 0), 0);
        expect(others).toBeGreaterThan(rate);
        return;
      }
      const { first, last } = range;
      if (isStolen) return;
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
    const { readMs, lanes } = simulate(size, [steady(rate)]);
    expect(lanes).toBe(8);
    expect(readMs / (size / (8 * rate))).toBeLessThan(1.1);
  });

  test('is read in step: who reads in order has it hardly later than it is there', () => {
    const { ms, readMs } = simulate(size, [steady(rate)]);
    expect(readMs / ms).toBeLessThan(1.02);
  });

  test('makes use of uneven mirrors together', () => {
    const mirrors = [40, 20, 10].map((MBs) => steady(MBs * 1_000, { connections: 4 }));
    const { ms, readMs } = simulate(4 * size, mirrors, 16);
    expect(ms / ((4 * size) / 280_000)).toBeLessThan(1.1);
    expect(readMs / ms).toBeLessThan(1.02);
  });

  test('goes back to one connection where more bring nothing', () => {
    const { ms, requests } = simulate(size, [steady(rate, { total: rate })]);
    expect(requests).toBeLessThan(25);
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
