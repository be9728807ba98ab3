import { randomUUID } from 'node:crypto';
import { bodyPath } from '../fixtures/generated-body.ts';
import { eachAlone, withCost } from '../measured.ts';
import type { Contestant } from '../peers/peer.ts';
import type { Comparison } from '../sample.ts';
import type { Round, Scenario } from '../scenario.ts';
import { caches } from './hot-hits.ts';

const mebibyte = 1024 * 1024;

const byTime: Comparison = { key: 'seconds', better: 'less' };

/** A stampede on one cold object. */
export const herd: Scenario = {
  name: 'herd',
  title: '200 clients for one cold 50 MiB object',
  rounds: 3,
  peers: caches,
  settings: { memory: '64MiB', disk: '2GiB', directOn: 'load' },
  columns: [
    { key: 'seconds', label: 'seconds', decimals: 2 },
    { key: 'fetches', label: 'upstream requests', decimals: 0 },
    { key: 'bytes', label: 'bytes × size', decimals: 3 },
    { key: 'early', label: 'first byte before half, paced %', decimals: 0 },
    { key: 'firstByte', label: 'last first byte, paced ms', decimals: 0 },
    { key: 'cpu', label: 'CPU ms', decimals: 0 },
  ],
  compared: [byTime],
  goals: [
    {
      text: 'upstream requests exactly 1',
      value: (summary) => summary.most('millrace', 'fetches'),
      decimals: 0,
      atMost: 1,
    },
    {
      text: 'upstream bytes at most 1.00 of the size',
      value: (summary) => summary.most('millrace', 'bytes'),
      decimals: 3,
      atMost: 1,
    },
    {
      text: 'clients with their first byte before the fill is half done: 100 %',
      value: (summary) => summary.figure('millrace', 'early')?.least,
      decimals: 0,
      atLeast: 100,
    },
    {
      text: 'ratio to nginx at least 1.2',
      value: (summary) => summary.ratio('millrace', 'nginx', byTime)?.median,
      decimals: 2,
      atLeast: 1.2,
    },
  ],
  run: (round, contestants) =>
    eachAlone(round, contestants, async (contestant) => {
      const clients = round.form === 'smoke' ? 40 : 200;
      const size = (round.form === 'smoke' ? 5 : 50) * mebibyte;
      // As fast as it goes, for the time; a fill that takes a second or two, for who waits for what.
      const fast = await stampede(round, contestant, clients, bodyPath(randomUUID(), size));
      const paced = await stampede(
        round,
        contestant,
        clients,
        bodyPath(randomUUID(), size, size / 2),
      );
      const problems = [...fast.problems, ...paced.problems];
      const values = {
        seconds: fast.seconds,
        fetches: Math.max(fast.fetches, paced.fetches),
        bytes: Math.max(fast.bytes, paced.bytes) / size,
        early: paced.early,
        firstByte: paced.lastFirstByteMs,
        ...(fast.cpuMs !== undefined && { cpu: fast.cpuMs }),
      };
      // More requests than one miss the goal; more bytes are wrong.
      if (values.bytes > 1.05) problems.push(`${values.bytes} times its bytes from upstream`);
      return { values, problems };
    }),
};

interface Stampede {
  readonly seconds: number;
  readonly fetches: number;
  readonly bytes: number;
  /** Percent of the clients whose first byte came before the origin had sent half. */
  readonly early: number;
  readonly lastFirstByteMs: number;
  readonly cpuMs: number | undefined;
  readonly problems: readonly string[];
}

async function stampede(
  { bench, form }: Round,
  contestant: Contestant,
  clients: number,
  path: string,
): Promise<Stampede> {
  const { result, cost } = await withCost(contestant, () =>
    bench.load.call('downloads', {
      base: contestant.base,
      paths: Array.from({ length: clients }, () => path),
      digest: form === 'smoke',
    }),
  );
  const [account] = await bench.origin.call('take', [path]);
  const halfAt = account?.halfAt ?? 0;
  const { startedAt, downloads } = result;
  const firstBytes = downloads.map(({ firstByteAt }) => firstByteAt ?? Number.POSITIVE_INFINITY);
  return {
    seconds: (Math.max(...downloads.map(({ endedAt }) => endedAt)) - startedAt) / 1000,
    fetches: account?.requests ?? 0,
    bytes: account?.bodyBytes ?? 0,
    early: (firstBytes.filter((at) => at < halfAt).length / clients) * 100,
    lastFirstByteMs: Math.max(...firstBytes) - startedAt,
    cpuMs: cost.cpuMs,
    problems: [...new Set(downloads.flatMap(({ problem }) => problem ?? []))],
  };
}
