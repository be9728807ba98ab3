import type { DiskIndex } from './disk-index.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { DiskUses } from './disk-uses.ts';

/** Uses are written this often, in milliseconds, or when this many wait. */
const intervalMs = 5_000;
const maxWaiting = 16_384;
/** How many one job writes. */
const usesPerJob = 256;

/** Writes the times of last use behind, in batches; a crash loses a few seconds of them. */
export class DiskUseLog {
  readonly #uses: DiskUses;
  readonly #index: DiskIndex;
  readonly #jobs: DiskJobs;
  readonly #onFailure: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #flushing = false;

  constructor(
    uses: DiskUses,
    index: DiskIndex,
    jobs: DiskJobs,
    onFailure: (error: unknown) => void,
  ) {
    this.#uses = uses;
    this.#index = index;
    this.#jobs = jobs;
    this.#onFailure = onFailure;
  }

  note(key: string): void {
    this.#uses.note(key);
    if (this.#flushing) return;
    if (this.#uses.size >= maxWaiting) this.#flushSoon();
    else this.#timer ??= setTimeout(() => this.#flushSoon(), intervalMs).unref();
  }

  /** Resolves when all uses that wait are written. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#uses.size > 0) {
      let taken: ReturnType<DiskUses['takeSome']> | undefined;
      await this.#jobs.run(async () => {
        // Once, though the job may run twice.
        taken ??= this.#uses.takeSome(usesPerJob);
        for (const [key, used] of taken) this.#index.touch(key, used);
      });
    }
  }

  #flushSoon(): void {
    this.#flushing = true;
    this.flush()
      .catch(this.#onFailure)
      .finally(() => {
        this.#flushing = false;
      });
  }
}
