import { randomUUID } from 'node:crypto';
import { bodyPath } from '../fixtures/generated-body.ts';
import { eachAlone, verified, withCost } from '../measured.ts';
import type { Comparison, Scenario } from '../scenario.ts';

const warmUpMs = 500;
const measuredMs = 2_500;
const smokeMs = 300;

export interface HotHits {
  readonly name: string;
  readonly title: string;
  /** Bytes. */
  readonly size: number;
  readonly connections: number;
  /** Ratio to nginx that is to be reached. */
  readonly goal: number;
}

const byRate: Comparison = { key: 'rate', better: 'more' };
/** What the rates would come to if the load took no longer than the server: the cost alone. */
const byCost: Comparison = { key: 'cpu', better: 'less', label: 'by CPU' };

/** Hits of one body, as many as one core gives, on keep-alive connections without pipelining. */
export function hotHits({ name, title, size, connections, goal }: HotHits): Scenario {
  return {
    name,
    title,
    rounds: 5,
    peers: ['direct', 'nginx'],
    settings: { memory: '256MiB', disk: '1GiB', directOn: 'server' },
    columns: [
      { key: 'rate', label: 'requests/s', decimals: 0 },
      { key: 'p50', label: 'p50 ms', decimals: 2 },
      { key: 'p99', label: 'p99 ms', decimals: 2 },
      { key: 'cpu', label: 'CPU µs/request', decimals: 1 },
      { key: 'busy', label: 'core busy %', decimals: 0 },
    ],
    compared: [byRate, byCost],
    goals: [
      {
        text: `ratio to nginx at least ${goal}`,
        value: (summary) => summary.ratio('millrace', 'nginx', byRate)?.median,
        decimals: 2,
        atLeast: goal,
      },
      {
        text: `the same by CPU time`,
        value: (summary) => summary.ratio('millrace', 'nginx', byCost)?.median,
        decimals: 2,
        atLeast: goal,
      },
    ],
    async run(round, contestants) {
      const { bench, smoke } = round;
      const path = bodyPath(`${name}-${randomUUID()}`, size);
      const samples = await eachAlone(round, contestants, async (contestant) => {
        const filled = await verified(round, contestant, path);
        const job = { base: contestant.base, path, connections };
        const warmUp = await bench.load.call('rate', { ...job, ms: smoke ? smokeMs : warmUpMs });
        const asked = await bench.origin.call('take', [path]);
        const { result, cost } = await withCost(contestant, () =>
          bench.load.call('rate', { ...job, ms: smoke ? smokeMs : measuredMs }),
        );
        const [whileHot] = await bench.origin.call('take', [path]);
        const again = await verified(round, contestant, path);
        const { requests, ms, p50, p99 } = result;
        const problems = [...filled, ...warmUp.problems, ...result.problems, ...again];
        // `direct` is an origin of its own, and this one heard nothing of it.
        const fetches = contestant.name === 'direct' ? 0 : 1;
        const upstream = (asked[0]?.requests ?? 0) + (whileHot?.requests ?? 0);
        if (upstream !== fetches) problems.push(`${upstream} upstream requests`);
        return {
          values: {
            rate: (requests / ms) * 1000,
            p50,
            p99,
            ...(cost.cpuMs !== undefined && { cpu: (cost.cpuMs * 1000) / requests }),
            ...(cost.busy !== undefined && { busy: cost.busy }),
          },
          problems,
        };
      });
      return samples;
    },
  };
}
