import { bodyPath } from '../fixtures/generated-body.ts';
import type { Scenario } from '../scenario.ts';
import { byCost, byRate, hotHits, rateGoals } from './hot-hits.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Hits of one object, by its size. */
export const hotSizes: readonly Scenario[] = [
  hotSize({ name: 'hot-1k', what: '1 KiB', size: kibibyte, connections: 32, goal: 1 }),
  hotSize({ name: 'hot-16k', what: '16 KiB', size: 16 * kibibyte, connections: 32, goal: 1 }),
  hotSize({ name: 'hot-64k', what: '64 KiB', size: 64 * kibibyte, connections: 32, goal: 0.9 }),
  hotSize({ name: 'hot-1m', what: '1 MiB', size: mebibyte, connections: 16, goal: 0.9 }),
  hotSize({ name: 'hot-100m', what: '100 MiB', size: 100 * mebibyte, connections: 4, goal: 0.9 }),
];

function hotSize(about: {
  readonly name: string;
  readonly what: string;
  /** Bytes. */
  readonly size: number;
  readonly connections: number;
  /** Ratio to nginx that is to be reached. */
  readonly goal: number;
}): Scenario {
  const { name, what, size, connections, goal } = about;
  return hotHits({
    name,
    title: `hits of ${what} on ${connections} connections`,
    connections,
    compared: [byRate, byCost],
    goals: rateGoals(goal),
    load(id) {
      const path = bodyPath(id, size);
      return { objects: [path], shots: [{ path }] };
    },
  });
}
