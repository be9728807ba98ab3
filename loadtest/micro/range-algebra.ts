import { RangeSet } from '../../src/policy/byte-range.ts';
import { choices, shuffled } from '../fixtures/choices.ts';
import type { MicroCase } from './case.ts';

const segment = 512 * 1024;

/** Eight connections fill a body of 100 MiB, each its own eighth in order: 200 segments. */
const inLanes: MicroCase = {
  name: 'RangeSet, 200 segments from 8 connections',
  times: 20,
  run(times) {
    let bytes = 0;
    for (let i = 0; i < times; i++) {
      const set = new RangeSet();
      for (let step = 0; step < 25; step++) {
        for (let connection = 0; connection < 8; connection++) {
          const first = (connection * 25 + step) * segment;
          set.add({ first, last: first + segment - 1 });
          bytes += set.runEnd(first);
        }
      }
      bytes += set.missing({ first: 0, last: 200 * segment - 1 }).length;
    }
    return bytes;
  },
};

const order = shuffled(
  Array.from({ length: 400 }, (_, i) => i),
  1,
);

/** The worst order there is: nothing joins what is there until late. */
const scattered: MicroCase = {
  name: 'RangeSet, 400 segments in no order',
  times: 5,
  run(times) {
    let count = 0;
    for (let i = 0; i < times; i++) {
      const set = new RangeSet();
      for (const index of order) {
        set.add({ first: index * segment, last: (index + 1) * segment - 1 });
        count += set.missing({ first: 0, last: 400 * segment - 1 }).length;
      }
    }
    return count;
  },
};

const halfFull = everySecond(200);
const next = choices(2);
const asked = Array.from({ length: 512 }, () => Math.floor(next() * 199) * segment);

const lookUp: MicroCase = {
  name: 'RangeSet, whether a range is there, of 100 pieces',
  times: 1_000,
  run(times) {
    let found = 0;
    for (let i = 0; i < times; i++) {
      const first = asked[i % asked.length] ?? 0;
      if (halfFull.has({ first, last: first + 1_000 })) found++;
    }
    return found;
  },
};

export const rangeCases: readonly MicroCase[] = [inLanes, scattered, lookUp];

function everySecond(count: number): RangeSet {
  const set = new RangeSet();
  for (let i = 0; i < count; i += 2) {
    set.add({ first: i * segment, last: (i + 1) * segment - 1 });
  }
  return set;
}
