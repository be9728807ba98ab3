import type { Scenario } from '../scenario.ts';
import { byTime, capped, size256 } from './capped.ts';

/** Three mirrors of unequal worth, four connections each. */
export const cappedUneven: Scenario = capped({
  name: 'capped-uneven',
  title: 'a cold 512 MiB object, mirrors of 10, 20 and 40 MB/s a connection, four connections each',
  peers: ['aria2'],
  mirrors: [10, 20, 40].map((megabytes) => ({ pace: megabytes * 1_000_000, connections: 4 })),
  bytes: 2 * size256,
  goals: [
    {
      text: 'at least 90 % of the sum of what the mirrors give',
      value: (summary) => summary.figure('millrace', 'used')?.median,
      decimals: 0,
      atLeast: 90,
    },
    {
      text: 'faster than aria2 with the same three URLs',
      value: (summary) => summary.ratio('millrace', 'aria2', byTime)?.median,
      decimals: 2,
      atLeast: 1,
    },
  ],
});
