import type { RawHeaders } from '../../src/core/raw-headers.ts';
import { selectRanges } from '../../src/policy/byte-range.ts';
import { responsePolicy } from '../../src/policy/freshness.ts';
import { matchesVary } from '../../src/policy/vary.ts';
import { cacheStatusField } from '../../src/telemetry/cache-status.ts';
import type { MicroCase } from './case.ts';
import { nth, requests } from './requests.ts';
import { options, storedFor } from './responses.ts';

const lists = requests();
const { vary } = storedFor(lists[0] as RawHeaders);

const varyMatch: MicroCase = {
  name: 'Vary match, two fields',
  times: 1_000,
  run(times) {
    let matching = 0;
    for (let i = 0; i < times; i++) if (matchesVary(vary, nth(lists, i))) matching++;
    return matching;
  },
};

const varyFirst: MicroCase = {
  name: 'Vary match, two fields, never seen before',
  times: 1_000,
  run(times) {
    let matching = 0;
    for (let i = 0; i < times; i++) if (matchesVary([...vary], nth(lists, i))) matching++;
    return matching;
  },
};

const reading: MicroCase = {
  name: 'reading a stored response’s policy, once a record',
  times: 1_000,
  run(times) {
    let seconds = 0;
    for (let i = 0; i < times; i++) {
      const meta = storedFor(nth(lists, i));
      seconds += responsePolicy(meta, options.targetedFields).explicitLifetime ?? 0;
    }
    return seconds;
  },
};

function selection(name: string, value: string): MicroCase {
  return {
    name,
    times: 1_000,
    run(times) {
      let kinds = 0;
      for (let i = 0; i < times; i++) kinds += selectRanges(value, 1_000_000 + i).kind.length;
      return kinds;
    },
  };
}

const status: MicroCase = {
  name: 'Cache-Status field of a hit',
  times: 1_000,
  run(times) {
    let length = 0;
    for (let i = 0; i < times; i++) {
      const field = cacheStatusField({ outcome: 'hit', cacheStatus: { hit: true, ttl: i } });
      // The last character makes the pieces one string, as a socket does.
      length += field.charCodeAt(field.length - 1);
    }
    return length;
  },
};

export const policyCases: readonly MicroCase[] = [
  varyMatch,
  varyFirst,
  reading,
  selection('range selection, one range', 'bytes=1000-4999'),
  selection('range selection, 32 ranges', `bytes=${manyRanges(32)}`),
  status,
];

function manyRanges(count: number): string {
  return Array.from({ length: count }, (_, i) => `${i * 1_000}-${i * 1_000 + 99}`).join(', ');
}
