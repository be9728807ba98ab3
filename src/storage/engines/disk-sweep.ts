import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskCatalog } from './disk-catalog.ts';
import type { DiskDatabase } from './disk-database.ts';
import { type DiskFiles, isMissing } from './disk-files.ts';
import type { DiskIndex } from './disk-index.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { DiskLeftovers } from './disk-leftovers.ts';
import { DiskTotalsCheck } from './disk-totals-check.ts';

const restOfDigest = /^[0-9a-f]{62}$/;

export interface DiskSweepOptions {
  readonly database: DiskDatabase;
  readonly files: DiskFiles;
  readonly index: DiskIndex;
  readonly catalog: DiskCatalog;
  readonly jobs: DiskJobs;
  readonly leftovers: DiskLeftovers;
}

/**
 * Tidies up behind an earlier run while requests are served: partial bodies that nobody can take up, files that no
 * row knows, rows whose file is gone, and, after an unclean end, the counters.
 */
export class DiskSweep {
  readonly #options: DiskSweepOptions;
  #stopped = false;

  constructor(options: DiskSweepOptions) {
    this.#options = options;
  }

  /** Resolves when all is swept, or soon after `stop`. */
  async run(checkTotals: boolean): Promise<void> {
    for (const path of this.#options.files.leftovers()) {
      await rm(path, { recursive: true, force: true });
    }
    await this.#options.leftovers.sweep();
    for (let first = 0; first < 256 && !this.#stopped; first++) await this.#sweepFiles(first);
    if (checkTotals) await this.#checkTotals();
    await this.#options.jobs.removed();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** One of the 256 directories, compared with the rows whose digest begins so. */
  async #sweepFiles(firstByte: number): Promise<void> {
    const { files, index, jobs, catalog } = this.#options;
    const prefix = firstByte.toString(16).padStart(2, '0');
    const names = await namesIn(join(files.bodies, prefix));
    const rows = index.files(firstByte);
    const known = new Set(rows.map((row) => row.sha256));
    const found = new Set(
      names.filter((name) => restOfDigest.test(name)).map((name) => prefix + name),
    );
    const orphans = [...found].filter((sha256) => !known.has(sha256));
    const lost = rows.filter((row) => !found.has(row.sha256));
    if (orphans.length + lost.length === 0) return;
    await jobs.run(async (change) => {
      // Much may have happened since the directory was read: look again, alone now.
      for (const sha256 of orphans) {
        const row = index.body(sha256);
        if (!row || row.inline) change.doom({ sha256, bytes: 0 });
      }
      for (const { sha256 } of lost) {
        const row = index.body(sha256);
        if (row && !row.inline && !files.has(sha256, row.size)) await catalog.forget(change, row);
      }
    });
  }

  async #checkTotals(): Promise<void> {
    const { database, jobs } = this.#options;
    const check = new DiskTotalsCheck(database);
    await jobs.run(() => check.begin());
    let done = false;
    while (!this.#stopped && !done) {
      done = await jobs.run((job) => check.step(job, job.uncounted()));
    }
    await jobs.run(() => check.end());
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
