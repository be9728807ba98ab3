import { contentOfPath } from '../fixtures/content.ts';
import type { RateJob } from '../load/rate.ts';
import type { Shot } from '../load/shot.ts';
import { eachAlone, upstreamRequests, verified, withCost } from '../measured.ts';
import type { Contestant } from '../peers/peer.ts';
import type { Column, Comparison } from '../sample.ts';
import type { Goal, Round, Scenario } from '../scenario.ts';

/** The first: until the code is compiled. Then: until connections are as they stay. */
const firstWarmUpMs = 1_500;
const warmUpMs = 300;
const usualMs = 1_500;
const smokeMs = 250;
/** How many of the objects are looked at by their SHA-256, before and after. */
const verifiedObjects = 8;

/** What is asked for, and how. */
export interface HotLoad {
  /** Paths of whole objects, each fetched before anything is measured. */
  readonly objects: readonly string[];
  readonly shots: readonly Shot[];
  readonly order?: Uint32Array;
}

export interface HotHits {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  readonly perSecond?: number;
  /** How long is measured in each round, in milliseconds. */
  readonly measuredMs?: number;
  /** Columns besides those of all. */
  readonly columns?: readonly Column[];
  readonly compared: readonly Comparison[];
  readonly goals: readonly Goal[];
  /** `id`: begins the names of its objects, the same in each round. */
  load(id: string, round: Round): HotLoad;
}

export const byRate: Comparison = { key: 'rate', better: 'more' };
/** What the rates would come to if the load took no longer than the server: the cost alone. */
export const byCost: Comparison = { key: 'cpu', better: 'less', label: 'by CPU' };
export const caches = ['nginx', 'varnish', 'squid', 'trafficserver'] as const;

export const loadColumns: readonly Column[] = [
  { key: 'rate', label: 'requests/s', decimals: 0 },
  { key: 'p50', label: 'p50 ms', decimals: 2 },
  { key: 'p99', label: 'p99 ms', decimals: 2 },
  { key: 'cpu', label: 'CPU µs/request', decimals: 1 },
  { key: 'busy', label: 'core busy %', decimals: 0 },
  { key: 'loadBusy', label: 'load busy %', decimals: 0 },
  { key: 'rss', label: 'RSS MiB', decimals: 0 },
];

/** Goals by the rate and by the CPU time of each request. */
export function rateGoals(goal: number): readonly Goal[] {
  return [
    {
      text: `ratio to nginx at least ${goal}`,
      value: (summary) => summary.ratio('millrace', 'nginx', byRate)?.median,
      decimals: 2,
      atLeast: goal,
    },
    {
      text: 'the same by CPU time',
      value: (summary) => summary.ratio('millrace', 'nginx', byCost)?.median,
      decimals: 2,
      atLeast: goal,
    },
  ];
}

/** What is stored already, as much as one core gives, on keep-alive connections without pipelining. */
export function hotHits({
  load,
  perSecond,
  measuredMs = usualMs,
  connections,
  columns = [],
  ...about
}: HotHits): Scenario {
  return {
    ...about,
    rounds: 3,
    peers: ['millrace-log', 'direct', ...caches],
    settings: { memory: '256MiB', disk: '2GiB', directOn: 'server' },
    columns: [...loadColumns, ...columns],
    run: (round, contestants) =>
      eachAlone(round, contestants, async (contestant) => {
        const { bench, form } = round;
        const [smoke, quick] = [form === 'smoke', form === 'quick'];
        const { objects, ...hot } = load(`${about.name}-${bench.id}`, round);
        const job: Omit<RateJob, 'ms'> = {
          base: contestant.base,
          connections,
          ...hot,
          // A short form is no measurement, and its machine may be slow.
          ...(perSecond !== undefined && { perSecond: smoke ? perSecond / 20 : perSecond }),
        };
        const some = objects.slice(0, verifiedObjects);
        const problems = round.number === 0 ? await fill(round, contestant, objects) : [];
        problems.push(...(await verified(round, contestant, ...some)));
        const rate = (ms: number) => bench.load.call('rate', { ...job, ms });
        const warmUp = await rate(
          smoke ? smokeMs : round.number > 0 ? warmUpMs : firstWarmUpMs / (quick ? 2 : 1),
        );
        await upstreamRequests(round, objects);
        const { result, cost } = await withCost(contestant, () =>
          rate(smoke ? smokeMs : measuredMs / (quick ? 2 : 1)),
        );
        const upstream = await upstreamRequests(round, objects);
        problems.push(...warmUp.problems, ...result.problems);
        problems.push(...(await verified(round, contestant, ...some)));
        const { requests, ms, p50, p99, late, stalled, bytes, loadBusy } = result;
        // One that forgets a few of thousands is measured all the same; ours forgets none.
        const most = contestant.name.startsWith('millrace') ? 0 : requests / 100;
        if (upstream > most) problems.push(`${upstream} upstream requests for what is stored`);
        return {
          values: {
            rate: (requests / ms) * 1000,
            mibPerSecond: (bytes / 1024 / 1024 / ms) * 1000,
            p50,
            p99,
            late,
            stalled,
            loadBusy,
            ...(cost.cpuMs !== undefined && { cpu: (cost.cpuMs * 1000) / requests }),
            ...(cost.busy !== undefined && { busy: cost.busy }),
            ...(cost.rss !== undefined && { rss: cost.rss }),
          },
          problems,
        };
      }),
  };
}

/** Has each object stored, and its bytes fetched once. */
async function fill(
  round: Round,
  contestant: Contestant,
  objects: readonly string[],
): Promise<string[]> {
  const shots = objects.map((path) => ({ path }));
  const { base } = contestant;
  const filled = await round.bench.load.call('rate', { base, shots, connections: 8 });
  const problems = [...filled.problems];
  const accounts = await round.bench.origin.call('take', objects);
  // `direct` is an origin of its own, and the one that counts heard nothing of it.
  if (contestant.name === 'direct') return problems;
  // By their bytes: a large object may come in several ranges, but hardly a byte twice.
  const missing = accounts.filter(({ requests }) => requests === 0).length;
  const sizes = objects.map((path) => contentOfPath(path).size);
  const twice = accounts.filter(({ bodyBytes }, i) => bodyBytes > 1.05 * (sizes[i] ?? 0)).length;
  if (missing > 0) problems.push(`${missing} objects not asked for`);
  if (twice > 0) problems.push(`${twice} objects fetched more than once`);
  return problems;
}
