import type { DiskCatalog } from './disk-catalog.ts';
import type { DiskIndex } from './disk-index.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { DiskUses } from './disk-uses.ts';

/** Keys that one job looks at: the event loop is not kept longer than that takes. */
const keysPerJob = 64;
/** What is freed beyond what is needed, so that a full cache does not evict for every body. */
const maxSlackBytes = 8 * 1024 * 1024;

export interface DiskEvictorOptions {
  readonly jobs: DiskJobs;
  readonly index: DiskIndex;
  readonly catalog: DiskCatalog;
  readonly uses: DiskUses;
  readonly maxBytes: number;
}

/** Lets the least recently used keys go, with the bodies that nothing else refers to. */
export class DiskEvictor {
  readonly #options: DiskEvictorOptions;
  readonly #slack: number;

  constructor(options: DiskEvictorOptions) {
    this.#options = options;
    this.#slack = Math.min(maxSlackBytes, Math.floor(options.maxBytes / 256));
  }

  /**
   * Frees `bytes` and a little more, or what 64 keys have; resolves when their files are gone. False
   * when there was nothing left.
   */
  async evict(bytes: number): Promise<boolean> {
    const { jobs, index, catalog, uses } = this.#options;
    /** Taken once, though the job may run twice. */
    const taken = new Map<string, number>();
    const progress = await jobs.run(async (change) => {
      const keys = index.leastRecentlyUsed(keysPerJob);
      for (const entry of keys) {
        const used = uses.take(entry.key) ?? taken.get(entry.key);
        if (used !== undefined) {
          taken.set(entry.key, used);
          index.touch(entry.key, used);
          continue;
        }
        await catalog.remove(change, entry);
        change.evict(entry.key);
        if (-change.bytes >= bytes + this.#slack) break;
      }
      return keys.length > 0;
    });
    await jobs.removed();
    return progress;
  }
}
