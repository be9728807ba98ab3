import type { DiskDatabase } from './disk-database.ts';
import type { DiskJobs } from './disk-jobs.ts';
import { pageBytes } from './disk-schema.ts';

const pagesPerJob = 128;
const minFreePages = 128;
const maxFreePages = 8192;

/**
 * Gives pages that bodies and records left in the database back to the file system. Some are kept
 * for what comes next: at most 1/64 of the bound, and 64 MiB.
 */
export class DiskVacuum {
  readonly #database: DiskDatabase;
  readonly #jobs: DiskJobs;
  readonly #keptPages: number;
  #running = false;

  constructor(database: DiskDatabase, jobs: DiskJobs, maxBytes: number) {
    this.#database = database;
    this.#jobs = jobs;
    const share = Math.floor(maxBytes / 64 / pageBytes);
    this.#keptPages = Math.min(maxFreePages, Math.max(minFreePages, share));
  }

  /** Works a little at a time until few enough pages are free. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#freePages() > this.#keptPages) {
        await this.#jobs.run(async () => {
          this.#database.all(`PRAGMA incremental_vacuum(${pagesPerJob})`);
        });
      }
    } finally {
      this.#running = false;
    }
  }

  #freePages(): number {
    return Number(this.#database.get('PRAGMA freelist_count')?.freelist_count ?? 0);
  }
}
