import type { Scenario } from '../scenario.ts';
import { cappedOne } from './capped-one.ts';
import { cappedUneven } from './capped-uneven.ts';
import { cold100m } from './cold-100m.ts';
import { herd } from './herd.ts';
import { latency, notModified, ranges, zipf } from './hot-mixes.ts';
import { hotSizes } from './hot-sizes.ts';
import { memoryDownloads } from './memory-downloads.ts';
import { memoryIdle } from './memory-idle.ts';
import { memorySuite } from './memory-suite.ts';
import { missOverhead } from './miss-overhead.ts';
import { misses } from './misses.ts';
import { npmCi, npmInstall } from './npm-ci.ts';
import { replay } from './replay.ts';
import { restart } from './restart.ts';
import { slowCold, slowHot } from './slow-clients.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  memoryIdle,
  ...hotSizes,
  zipf,
  notModified,
  ranges,
  latency,
  misses,
  missOverhead,
  replay,
  cold100m,
  herd,
  slowHot,
  slowCold,
  cappedOne,
  cappedUneven,
  memoryDownloads,
  memorySuite,
  restart,
  npmCi,
  npmInstall,
];

/** What `--smoke` runs without `--scenarios`. */
export const smokeScenarios: readonly Scenario[] = [herd, missOverhead, ...hotSizes.slice(0, 1)];
