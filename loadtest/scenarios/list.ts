import type { Scenario } from '../scenario.ts';
import { cappedOne } from './capped-one.ts';
import { cappedUneven } from './capped-uneven.ts';
import { cold100m } from './cold-100m.ts';
import { herd } from './herd.ts';
import { hot1k } from './hot-1k.ts';
import { hot1m } from './hot-1m.ts';
import { hot64k } from './hot-64k.ts';
import { memoryDownloads } from './memory-downloads.ts';
import { memoryIdle } from './memory-idle.ts';
import { missOverhead } from './miss-overhead.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  memoryIdle,
  memoryDownloads,
  herd,
  missOverhead,
  hot1k,
  hot64k,
  hot1m,
  cold100m,
  cappedOne,
  cappedUneven,
];

/** What `--smoke` runs without `--scenarios`. */
export const smokeScenarios: readonly Scenario[] = [herd, missOverhead, hot1k];
