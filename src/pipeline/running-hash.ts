import { BodyHash, type RunningHash } from './body-hash.ts';
import { FileHash } from './file-hash.ts';
import type { FillOptions } from './fill-contract.ts';

/** Below this a body is hashed sooner than another thread hears of it. */
const leastBytes = 8 * 1024 * 1024;

/**
 * How a body is hashed: by a thread of its own where it is large, on its way into a file, and nobody
 * waits for that; otherwise as it comes.
 */
export function runningHash(options: FillOptions): RunningHash {
  const { size, partial, hashing } = options;
  const expected = options.digest ?? options.keepIf?.digest;
  const begins = !partial?.resumed && !options.present;
  if (partial?.file && begins && !expected && size !== undefined && size >= leastBytes) {
    const task = hashing?.begin(size);
    if (task) return new FileHash(task, partial.file, size);
  }
  return new BodyHash(expected, size);
}
