import { choices, zipfOrder } from '../fixtures/choices.ts';
import { bodyPath, etagOf } from '../fixtures/generated-body.ts';
import type { Comparison } from '../sample.ts';
import type { Scenario } from '../scenario.ts';
import { byCost, byRate, hotHits, rateGoals } from './hot-hits.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Many objects of many sizes, some asked for much more often than others. */
export const zipf: Scenario = hotHits({
  name: 'zipf',
  title: '5,000 objects of 2 to 128 KiB, asked for in a zipf mix on 32 connections',
  connections: 32,
  compared: [byRate, byCost],
  goals: rateGoals(1),
  load(id, { form }) {
    const smoke = form === 'smoke';
    const count = smoke ? 200 : 5_000;
    const next = choices(1);
    // As many between 2 and 4 KiB as between 64 and 128.
    const objects = Array.from({ length: count }, (_, i) =>
      bodyPath(`${id}-${i}`, Math.round(2 * kibibyte * 64 ** next())),
    );
    return {
      objects,
      shots: objects.map((path) => ({ path })),
      order: zipfOrder(count, 100_000, { exponent: 0.9, seed: 2 }),
    };
  },
});

/** Clients that have it already and ask whether it is still so. */
export const notModified: Scenario = hotHits({
  name: 'not-modified',
  title: '304 to If-None-Match, 32 connections',
  connections: 32,
  compared: [byRate, byCost],
  goals: rateGoals(1),
  load(id) {
    const path = bodyPath(id, 16 * kibibyte);
    const fields = `If-None-Match: ${etagOf(path)}\r\n`;
    return { objects: [path], shots: [{ path, fields, status: 304 }] };
  },
});

/** Parts of a large object, as a client that resumes or reads an index does. */
export const ranges: Scenario = hotHits({
  name: 'ranges',
  title: 'random 64 KiB ranges of a 100 MiB object on 32 connections',
  connections: 32,
  compared: [byRate, byCost],
  goals: rateGoals(0.95),
  load(id, { form }) {
    const smoke = form === 'smoke';
    const size = (smoke ? 10 : 100) * mebibyte;
    const length = 64 * kibibyte;
    const path = bodyPath(id, size);
    const next = choices(3);
    const shots = Array.from({ length: 2_000 }, () => {
      const first = Math.floor(next() * (size - length));
      const last = first + length - 1;
      const fields = `Range: bytes=${first}-${last}\r\n`;
      return { path, fields, status: 206, range: [first, last] } as const;
    });
    return { objects: [path], shots };
  },
});

const byP99: Comparison = { key: 'p99', better: 'less' };
const byP50: Comparison = { key: 'p50', better: 'less', label: 'p50' };

/** How long a request takes of a server that is busy but not full. */
export const latency: Scenario = hotHits({
  name: 'latency',
  title: '20,000 requests/s for 2 KiB on 64 connections, timed from when each is due',
  connections: 64,
  perSecond: 20_000,
  // So that one request in a hundred says something of the traffic, not of how 64 connections begin.
  measuredMs: 6_000,
  columns: [
    { key: 'late', label: 'over 1 ms %', decimals: 2 },
    { key: 'stalled', label: 'load stood still %', decimals: 2 },
  ],
  compared: [byP99, byP50],
  goals: [
    {
      text: 'p99 at most 1.3 times that of nginx',
      value: (summary) => {
        const ratio = summary.ratio('millrace', 'nginx', byP99)?.median;
        return ratio === undefined ? undefined : 1 / ratio;
      },
      decimals: 2,
      atMost: 1.3,
    },
  ],
  load(id) {
    const path = bodyPath(id, 2 * kibibyte);
    return { objects: [path], shots: [{ path }] };
  },
});
