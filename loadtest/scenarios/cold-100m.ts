import { randomUUID } from 'node:crypto';
import { bodyPath } from '../fixtures/generated-body.ts';
import { eachAlone, withCost } from '../measured.ts';
import type { Comparison } from '../sample.ts';
import type { Scenario } from '../scenario.ts';
import { caches } from './hot-hits.ts';

const mebibyte = 1024 * 1024;
const size = 100 * mebibyte;
const smokeSize = 10 * mebibyte;

const byTime: Comparison = { key: 'seconds', better: 'less' };

/** One large cold object for one client, from an origin that is faster than anything in between. */
export const cold100m: Scenario = {
  name: 'cold-100m',
  title: 'one cold 100 MiB object, fast origin, one client',
  rounds: 3,
  peers: ['direct', ...caches],
  settings: { memory: '64MiB', disk: '8GiB', directOn: 'load' },
  columns: [
    { key: 'seconds', label: 'seconds', decimals: 3 },
    { key: 'rate', label: 'MiB/s', decimals: 0 },
    { key: 'firstByte', label: 'first byte ms', decimals: 2 },
    { key: 'cpu', label: 'CPU ms', decimals: 0 },
  ],
  compared: [byTime],
  goals: [
    {
      text: 'ratio to nginx at least 0.8',
      value: (summary) => summary.ratio('millrace', 'nginx', byTime)?.median,
      decimals: 2,
      atLeast: 0.8,
    },
  ],
  run: (round, contestants) =>
    eachAlone(round, contestants, async (contestant) => {
      const { bench, form } = round;
      const bytes = form === 'smoke' ? smokeSize : size;
      const path = bodyPath(`cold-${randomUUID()}`, bytes);
      const other = bodyPath(`cold-${randomUUID()}`, bytes);
      await bench.needSpace(3 * bytes);
      // What the first download of a process costs is another matter.
      if (round.number === 0 && form !== 'smoke') {
        await bench.load.call('downloads', { base: contestant.base, paths: [other] });
      }
      const { result, cost } = await withCost(contestant, () =>
        bench.load.call('downloads', { base: contestant.base, paths: [path] }),
      );
      const [account] = await bench.origin.call('take', [path]);
      const [download] = result.downloads;
      const problems = download?.problem === undefined ? [] : [download.problem];
      if (account && account.bodyBytes > 1.05 * bytes) {
        problems.push(`${account.bodyBytes} bytes from upstream for ${bytes}`);
      }
      const ms = (download?.endedAt ?? Number.NaN) - result.startedAt;
      return {
        values: {
          seconds: ms / 1000,
          rate: (bytes / mebibyte / ms) * 1000,
          firstByte: (download?.firstByteAt ?? Number.NaN) - result.startedAt,
          ...(cost.cpuMs !== undefined && { cpu: cost.cpuMs }),
        },
        problems,
      };
    }),
};
