import { randomUUID } from 'node:crypto';
import { bodyPath } from '../fixtures/generated-body.ts';
import { withCost } from '../measured.ts';
import type { Contestant } from '../peers/peer.ts';
import { figureOf } from '../report/summary.ts';
import type { Comparison, Sample } from '../sample.ts';
import type { Round, Scenario } from '../scenario.ts';
import { caches } from './hot-hits.ts';

const size = 2 * 1024;
const urls = 500;
const warmUpUrls = 300;
const smokeUrls = 50;

const byTime: Comparison = { key: 'median', better: 'less' };

/** Cold small files one after the other, the same request through each contestant in turn. */
export const missOverhead: Scenario = {
  name: 'miss-overhead',
  title: '500 cold misses of 2 KiB, sequential on one connection, in turn with the others',
  rounds: 3,
  peers: ['direct', ...caches],
  settings: { memory: '64MiB', disk: '1GiB', directOn: 'load' },
  columns: [
    { key: 'median', label: 'median ms', decimals: 3 },
    { key: 'p99', label: 'p99 ms', decimals: 3 },
    { key: 'overhead', label: 'over direct, ms', decimals: 3 },
    { key: 'cpu', label: 'CPU µs/request', decimals: 0 },
  ],
  compared: [byTime],
  goals: [
    {
      text: 'median overhead against direct under 1 ms',
      value: (summary) => summary.median('millrace', 'overhead'),
      decimals: 3,
      atMost: 1,
    },
  ],
  async run(round, contestants) {
    // The first requests find neither compiled code nor connections; they are no cold cache's fault.
    if (round.number === 0)
      await alternate(round, contestants, round.form === 'smoke' ? 0 : warmUpUrls);
    return alternate(round, contestants, round.form === 'smoke' ? smokeUrls : urls);
  },
};

async function alternate(
  { bench, number: round }: Round,
  contestants: readonly Contestant[],
  count: number,
): Promise<Sample[]> {
  const targets = contestants.map(({ base }) => ({
    base,
    paths: Array.from({ length: count }, () => bodyPath(`miss-${randomUUID()}`, size)),
  }));
  const { result, costs } = await withCosts(contestants, () =>
    bench.load.call('alternate', { targets }),
  );
  const overDirect = figureOf(
    result.targets[contestants.findIndex(({ name }) => name === 'direct')]?.times ?? [],
  );
  return Promise.all(
    contestants.map(async ({ name }, i) => {
      const { times = [], problems = [] } = result.targets[i] ?? {};
      const accounts = await bench.origin.call('take', targets[i]?.paths ?? []);
      const repeated = accounts.filter(({ requests }) => requests !== 1).length;
      const median = figureOf(times)?.median ?? Number.NaN;
      const cpuMs = costs[i];
      return {
        peer: name,
        round,
        values: {
          median,
          p99: times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN,
          ...(overDirect && name !== 'direct' && { overhead: median - overDirect.median }),
          ...(cpuMs !== undefined && { cpu: (cpuMs * 1000) / count }),
        },
        problems: repeated === 0 ? problems : [...problems, `${repeated} URLs not fetched once`],
      };
    }),
  );
}

/** CPU milliseconds of each contestant during the work. */
async function withCosts<T>(
  contestants: readonly Contestant[],
  work: () => Promise<T>,
): Promise<{ result: T; costs: readonly (number | undefined)[] }> {
  const [first, ...rest] = contestants;
  if (!first) return { result: await work(), costs: [] };
  const { result: inner, cost } = await withCost(first, () => withCosts(rest, work));
  return { result: inner.result, costs: [cost.cpuMs, ...inner.costs] };
}
