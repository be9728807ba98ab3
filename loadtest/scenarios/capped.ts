import { randomUUID } from 'node:crypto';
import type { Bench } from '../bench.ts';
import { bodyPath } from '../fixtures/generated-body.ts';
import { eachAlone, withCost } from '../measured.ts';
import type { OriginLimits } from '../origin/server.ts';
import type { Contestant } from '../peers/peer.ts';
import type { Comparison, Sample } from '../sample.ts';
import type { Goal, Scenario } from '../scenario.ts';

const mebibyte = 1024 * 1024;

/** Small objects that are asked for first. */
const warmUps = 50;

export const byTime: Comparison = { key: 'seconds', better: 'less' };
export const byFirstByte: Comparison = { key: 'firstByte', better: 'less', label: 'first byte' };

export interface Capped {
  readonly name: string;
  readonly title: string;
  readonly peers: readonly string[];
  readonly mirrors: readonly OriginLimits[];
  readonly bytes: number;
  readonly goals: readonly Goal[];
}

/** A large cold object behind mirrors that give so much a connection and no more. */
export function capped({ bytes, mirrors, ...about }: Capped): Scenario {
  /** Bytes a second of all connections together. */
  const sum = mirrors.reduce((all, { pace = 0, connections = 8 }) => all + pace * connections, 0);
  return {
    ...about,
    rounds: 3,
    settings: { memory: '64MiB', disk: '8GiB', directOn: 'load', mirrors },
    // The mirrors, and what is known of them, are those of one download.
    freshEachRound: true,
    columns: [
      { key: 'seconds', label: 'seconds', decimals: 3 },
      { key: 'used', label: '% of the sum', decimals: 0 },
      { key: 'firstByte', label: 'first byte ms', decimals: 1 },
      { key: 'requests', label: 'upstream requests', decimals: 0 },
      { key: 'bytes', label: 'bytes × size', decimals: 3 },
      { key: 'cpu', label: 'CPU ms', decimals: 0 },
    ],
    compared: [byTime, byFirstByte],
    run: (round, contestants) =>
      eachAlone(round, contestants, async (contestant) => {
        const size = round.form === 'smoke' ? bytes / 16 : bytes;
        const path = bodyPath(`capped-${randomUUID()}`, size);
        await round.bench.needSpace(2 * size);
        await round.bench.warmMedium(1.25 * size);
        const { values, problems } = await fetchOnce(round.bench, contestant, path);
        const [account] = await round.bench.origin.call('take', [path]);
        const used = (size / (values.seconds ?? Number.NaN) / sum) * 100;
        const amount = {
          requests: account?.requests ?? 0,
          bytes: (account?.bodyBytes ?? 0) / size,
        };
        return { values: { ...values, ...amount, used }, problems };
      }),
  };
}

async function fetchOnce(
  bench: Bench,
  contestant: Contestant,
  path: string,
): Promise<Pick<Sample, 'values' | 'problems'>> {
  if (contestant.download) {
    const { ms, problem } = await contestant.download(path);
    return { values: { seconds: ms / 1000 }, problems: problem === undefined ? [] : [problem] };
  }
  // A server has served before, though not this: what a first request of all costs is another matter.
  for (let i = 0; i < warmUps; i++) {
    const paths = [bodyPath(`warm-${randomUUID()}`, 1024)];
    await bench.load.call('downloads', { base: contestant.base, paths });
  }
  const { result, cost } = await withCost(contestant, () =>
    bench.load.call('downloads', { base: contestant.base, paths: [path] }),
  );
  const [download] = result.downloads;
  const ms = (download?.endedAt ?? Number.NaN) - result.startedAt;
  return {
    values: {
      seconds: ms / 1000,
      firstByte: (download?.firstByteAt ?? Number.NaN) - result.startedAt,
      ...(cost.cpuMs !== undefined && { cpu: cost.cpuMs }),
    },
    problems: download?.problem === undefined ? [] : [download.problem],
  };
}

export const size256 = 256 * mebibyte;
