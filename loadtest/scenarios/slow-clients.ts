import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { bodyPath } from '../fixtures/generated-body.ts';
import { eachAlone, verified, withCost } from '../measured.ts';
import { peakWhile } from '../processes/peak.ts';
import { usageOf } from '../processes/usage.ts';
import type { Scenario } from '../scenario.ts';
import { caches } from './hot-hits.ts';

const mebibyte = 1024 * 1024;
const clients = 50;
const size = 100 * mebibyte;
const smokeSize = 10 * mebibyte;
/** Bytes a second of each client. */
const pace = 2_000_000;
const limitMs = 6_000;
/** Until what the first requests have left behind is settled. */
const restMs = 1_000;
/** What a start costs is no growth. */
const warmUps = 200;

/** What clients that read slowly cost a server that has the object already. */
export const slowHot: Scenario = slowClients({
  name: 'slow-hot',
  title: '50 clients reading a stored 100 MiB object at 2 MB/s each',
  hot: true,
});

/** The same of one that has to fetch it for them. */
export const slowCold: Scenario = slowClients({
  name: 'slow-cold',
  title: '50 clients reading a cold 100 MiB object at 2 MB/s each',
  hot: false,
});

function slowClients(about: {
  readonly name: string;
  readonly title: string;
  readonly hot: boolean;
}): Scenario {
  const { name, title, hot } = about;
  return {
    name,
    title,
    rounds: 1,
    once: true,
    peers: caches,
    settings: { memory: '64MiB', disk: '2GiB', directOn: 'load' },
    freshEachRound: true,
    columns: [
      { key: 'rest', label: 'RSS at rest MiB', decimals: 1 },
      { key: 'peak', label: 'peak MiB', decimals: 1 },
      { key: 'growth', label: 'growth MiB', decimals: 1 },
      { key: 'tier', label: 'of it memory tier MiB', decimals: 1 },
      { key: 'read', label: 'read MiB', decimals: 0 },
      { key: 'busy', label: 'core busy %', decimals: 0 },
      { key: 'fetches', label: 'upstream requests', decimals: 0 },
    ],
    compared: [],
    goals: [
      {
        text: 'growth at most 64 MiB',
        value: (summary) => summary.most('millrace', 'growth'),
        decimals: 1,
        atMost: 64,
      },
    ],
    run: (round, contestants) =>
      eachAlone(round, contestants, async (contestant) => {
        const { bench, form } = round;
        const { base, pid = 0, memoryTierBytes = async () => 0 } = contestant;
        const path = bodyPath(`${name}-${randomUUID()}`, form === 'smoke' ? smokeSize : size);
        await bench.needSpace(2 * size);
        const small = Array.from({ length: warmUps }, (_, i) =>
          bodyPath(`warm-${randomUUID()}-${i}`, 1024),
        );
        const problems = [...(await verified(round, contestant, ...small))];
        if (hot) problems.push(...(await verified(round, contestant, path)));
        await delay(restMs);
        const rest = (await usageOf(pid)).rss;
        const tierAtRest = await memoryTierBytes();
        const { result, cost } = await withCost(contestant, async () => {
          const running = bench.load.call('downloads', {
            base,
            paths: Array.from({ length: clients }, () => path),
            pace,
            limitMs: limitMs / (form === 'smoke' ? 6 : form === 'quick' ? 2 : 1),
          });
          const peak = await peakWhile(running, pid);
          return { peak, downloads: (await running).downloads };
        });
        const [account] = await bench.origin.call('take', [path]);
        const tier = (await memoryTierBytes()) - tierAtRest;
        for (const { problem } of result.downloads) {
          if (problem !== undefined) problems.push(problem);
        }
        const fetches = account?.requests ?? 0;
        // In several ranges, if it comes slowly, but hardly a byte twice.
        if (contestant.name === 'millrace' && (account?.bodyBytes ?? 0) > 1.05 * size) {
          problems.push(`${account?.bodyBytes} bytes from upstream for ${size}`);
        }
        return {
          values: {
            rest: rest / mebibyte,
            peak: result.peak / mebibyte,
            growth: (result.peak - rest) / mebibyte,
            tier: tier / mebibyte,
            read: result.downloads.reduce((sum, { bytes }) => sum + bytes, 0) / mebibyte,
            fetches,
            ...(cost.busy !== undefined && { busy: cost.busy }),
          },
          problems: [...new Set(problems)],
        };
      }),
  };
}
