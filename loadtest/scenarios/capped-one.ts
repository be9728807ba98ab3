import type { Scenario } from '../scenario.ts';
import { byFirstByte, byTime, capped, size256 } from './capped.ts';

/** One mirror that gives 20 MB/s a connection. */
export const cappedOne: Scenario = capped({
  name: 'capped-one',
  title: 'a cold 256 MiB object, one mirror of 20 MB/s a connection',
  peers: ['aria2', 'nginx'],
  mirrors: [{ pace: 20_000_000 }],
  bytes: size256,
  goals: [
    {
      text: 'at least 0.91 of the speed of aria2 with eight connections (1.10 of its time)',
      value: (summary) => summary.ratio('millrace', 'aria2', byTime)?.median,
      decimals: 2,
      atLeast: 1 / 1.1,
    },
    {
      text: 'the first byte at most 1.2 times as late as through nginx',
      value: (summary) => {
        const ratio = summary.ratio('millrace', 'nginx', byFirstByte)?.median;
        return ratio === undefined ? undefined : 1 / ratio;
      },
      decimals: 2,
      atMost: 1.2,
    },
  ],
});
