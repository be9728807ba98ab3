import { setTimeout as delay } from 'node:timers/promises';
import { eachAlone } from '../measured.ts';
import { usageOf } from '../processes/usage.ts';
import type { Scenario } from '../scenario.ts';
import { cold100m } from './cold-100m.ts';
import { herd } from './herd.ts';
import { notModified, ranges, zipf } from './hot-mixes.ts';
import { hotSizes } from './hot-sizes.ts';
import { misses } from './misses.ts';
import { replay } from './replay.ts';

const mebibyte = 1024 * 1024;
/** Until what the last work has left behind is collected. */
const restMs = 45_000;

const workloads: readonly Scenario[] = [
  replay,
  ...hotSizes,
  zipf,
  notModified,
  ranges,
  misses,
  cold100m,
  herd,
];

/** What one process holds that has been through everything. */
export const memorySuite: Scenario = {
  name: 'memory-suite',
  title: `resident memory after ${workloads.map(({ name }) => name).join(', ')} with a memory tier of 192 MiB`,
  rounds: 1,
  once: true,
  peers: [],
  settings: { memory: '192MiB', disk: '8GiB', directOn: 'load' },
  freshEachRound: true,
  columns: [
    { key: 'rest', label: 'RSS at first MiB', decimals: 1 },
    { key: 'rss', label: 'RSS afterwards MiB', decimals: 1 },
    { key: 'most', label: 'most between MiB', decimals: 1 },
    { key: 'tier', label: 'memory tier MiB', decimals: 1 },
  ],
  compared: [],
  goals: [
    {
      text: 'at most 400 MiB',
      value: (summary) => summary.most('millrace', 'rss'),
      decimals: 1,
      atMost: 400,
    },
  ],
  run: (round, contestants) =>
    eachAlone(round, contestants, async (contestant) => {
      const { pid = 0, memoryTierBytes = async () => 0 } = contestant;
      const memory = async (): Promise<number> => (await usageOf(pid)).rss / mebibyte;
      const rest = await memory();
      const problems: string[] = [];
      let most = 0;
      const form = round.form === 'usual' ? 'quick' : round.form;
      for (const workload of workloads) {
        const samples = await workload.run({ ...round, form }, [contestant]);
        most = Math.max(most, await memory());
        for (const sample of samples) {
          problems.push(...sample.problems.map((problem) => `${workload.name}: ${problem}`));
        }
      }
      await delay(restMs);
      const tier = (await memoryTierBytes()) / mebibyte;
      return { values: { rest, rss: await memory(), most, tier }, problems };
    }),
};
