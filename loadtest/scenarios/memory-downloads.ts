import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { bodyPath } from '../fixtures/generated-body.ts';
import { eachAlone, verified } from '../measured.ts';
import { monotonicMs } from '../processes/monotonic.ts';
import { peakWhile } from '../processes/peak.ts';
import { usageOf } from '../processes/usage.ts';
import type { Scenario } from '../scenario.ts';

const mebibyte = 1024 * 1024;
const size = 1024 * mebibyte;
const downloads = 4;
/** Bytes a second of each client. */
const pace = 5_000_000;
/** The fill runs at the origin's speed and is over by then: what follows is slow reading alone. */
const shortMs = 25_000;
/** At that pace everything is read by then. */
const fullMs = 400_000;
const restMs = 2_000;

/** What large downloads with slow readers add to the gateway's memory. */
export const memoryDownloads: Scenario = {
  name: 'memory-downloads',
  title: 'four cold 1 GiB downloads at once, each client reading 5 MB/s',
  rounds: 1,
  once: true,
  peers: [],
  settings: { memory: '64MiB', disk: '6GiB', directOn: 'load' },
  freshEachRound: true,
  columns: [
    { key: 'rest', label: 'RSS at rest MiB', decimals: 1 },
    { key: 'peak', label: 'peak MiB', decimals: 1 },
    { key: 'growth', label: 'growth MiB', decimals: 1 },
    { key: 'tier', label: 'memory tier MiB', decimals: 1 },
    { key: 'aside', label: 'growth, tier aside MiB', decimals: 1 },
    { key: 'seconds', label: 'seconds', decimals: 0 },
    { key: 'filled', label: 'fetched GiB', decimals: 2 },
    { key: 'read', label: 'read GiB', decimals: 2 },
  ],
  compared: [],
  goals: [
    {
      text: 'growth, the memory tier aside, at most 96 MiB',
      value: (summary) => summary.most('millrace', 'aside'),
      decimals: 1,
      atMost: 96,
    },
  ],
  run: (round, contestants) =>
    eachAlone(round, contestants, async (contestant) => {
      const { bench, form } = round;
      const full = form === 'full';
      const { pid = 0, memoryTierBytes = async () => 0 } = contestant;
      await bench.needSpace((downloads + 1) * size);
      const problems = [...(await verified(round, contestant, bodyPath(randomUUID(), 1024)))];
      await delay(restMs);
      const rest = (await usageOf(pid)).rss;
      const tierAtRest = await memoryTierBytes();
      const paths = Array.from({ length: downloads }, () => bodyPath(randomUUID(), size));
      const startedAt = monotonicMs();
      const limit = full ? {} : { limitMs: form === 'quick' ? shortMs / 2 : shortMs };
      const job = { base: contestant.base, paths, pace, digest: full, ...limit };
      const running = bench.load.call('downloads', job, full ? fullMs : undefined);
      const peak = await peakWhile(running, pid);
      const result = await running;
      const seconds = (monotonicMs() - startedAt) / 1000;
      const tier = (await memoryTierBytes()) - tierAtRest;
      const accounts = await bench.origin.call('take', paths);
      for (const { problem } of result.downloads) if (problem !== undefined) problems.push(problem);
      // Several for one object, in ranges, but hardly a byte twice.
      for (const { bodyBytes } of accounts) {
        if (bodyBytes > 1.1 * size) problems.push(`${bodyBytes} bytes from upstream for ${size}`);
      }
      const gibibytes = (counts: readonly number[]): number =>
        counts.reduce((sum, count) => sum + count, 0) / size;
      return {
        values: {
          rest: rest / mebibyte,
          peak: peak / mebibyte,
          growth: (peak - rest) / mebibyte,
          tier: tier / mebibyte,
          aside: (peak - rest - tier) / mebibyte,
          seconds,
          filled: gibibytes(accounts.map(({ bodyBytes }) => bodyBytes)),
          read: gibibytes(result.downloads.map(({ bytes }) => bytes)),
        },
        problems,
      };
    }),
};
