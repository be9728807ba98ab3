import { setTimeout as delay } from 'node:timers/promises';
import { eachAlone } from '../measured.ts';
import { usageOf } from '../processes/usage.ts';
import type { Scenario } from '../scenario.ts';

const mebibyte = 1024 * 1024;
/** Until what the start has left behind is collected. */
const restMs = 5_000;

/** Memory of a gateway that has just started and does nothing. */
export const memoryIdle: Scenario = {
  name: 'memory-idle',
  title: 'resident memory at rest',
  rounds: 3,
  peers: [],
  settings: { memory: '256MiB', disk: '1GiB', directOn: 'load' },
  freshEachRound: true,
  columns: [{ key: 'rss', label: 'RSS MiB', decimals: 1 }],
  compared: [],
  goals: [
    {
      text: 'under 120 MiB',
      value: (summary) => summary.most('millrace', 'rss'),
      decimals: 1,
      atMost: 120,
    },
  ],
  run: (round, contestants) =>
    eachAlone(round, contestants, async ({ pid = 0 }) => {
      await delay(restMs);
      return { values: { rss: (await usageOf(pid)).rss / mebibyte }, problems: [] };
    }),
};
