import type { StoreListener } from '../lower-store.ts';
import type { DoomedFile } from './disk-change.ts';
import type { DiskFiles } from './disk-files.ts';
import type { DiskIndex } from './disk-index.ts';
import type { DiskOpenFiles } from './disk-open-files.ts';
import type { DiskSpace, Reservation } from './disk-space.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import type { DiskWriter } from './disk-writer.ts';
import { removeFile } from './file-io.ts';
import { Underway } from './underway.ts';
import type { WriterJob } from './writer-job.ts';

export interface DiskJobsOptions {
  readonly writer: DiskWriter;
  readonly index: DiskIndex;
  readonly files: DiskFiles;
  readonly openFiles: DiskOpenFiles;
  readonly trouble: DiskTrouble;
}

/**
 * Changes to what is stored: the database in a transaction, then, once that is committed, the
 * counters, the files and whoever listens.
 */
export class DiskJobs {
  readonly #options: DiskJobsOptions;
  #space: DiskSpace | undefined;
  #entries = 0;
  #evictions = 0;
  readonly #removals = new Underway();
  /** One function for all jobs. */
  readonly #onCommit = (job: WriterJob) => this.#apply(job);
  listener: StoreListener | undefined;

  constructor(options: DiskJobsOptions) {
    this.#options = options;
  }

  /** Keys that are stored. */
  get entries(): number {
    return this.#entries;
  }

  /** Keys that were evicted since the start. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Begins to count for `space`, from what the database says. */
  count(space: DiskSpace): void {
    const totals = this.#options.index.totals();
    this.#space = space;
    this.#entries = totals.entries;
    space.setStored(totals.bytes);
  }

  /**
   * Runs a job; what was reserved for it is settled with what it took. It may run twice, and what it
   * did the first time is undone then, what it said of its changes included. Nobody waits for one that
   * is `patient`.
   */
  run<T>(
    work: (job: WriterJob) => T | Promise<T>,
    reservation?: Reservation,
    patient = false,
  ): Promise<T> {
    return this.#options.writer.run(work, patient, this.#onCommit, reservation);
  }

  /** Resolves when the files that nothing refers to any more are gone. */
  removed(): Promise<void> {
    return this.#removals.over();
  }

  #apply(job: WriterJob): void {
    if (job.reservation) job.reservation.settle(job.bytes);
    else this.#space?.change(job.bytes);
    this.#entries += job.entries;
    this.#evictions += job.evicted.length;
    if (job.doomed.length > 0) for (const file of job.doomed) this.#removeFile(file);
    if (this.listener) job.tell(this.listener);
  }

  /**
   * The file leaves its address at once, so that the same body can be stored again, and counts until
   * it is gone. One that cannot be moved (open on Windows) is left for the sweep.
   */
  #removeFile(file: DoomedFile): void {
    this.#space?.changeDying(file.bytes);
    this.#removals.begin();
    this.#unlink(file)
      .then(() => this.#space?.changeDying(-file.bytes))
      .catch((error) => this.#options.trouble.note(error, 'files'))
      .finally(() => this.#removals.end());
  }

  async #unlink(file: DoomedFile): Promise<void> {
    // A later job of the same transaction may have stored the body again.
    const row = this.#options.index.body(file.sha256);
    if (row && !row.inline) return;
    this.#options.openFiles.forget(file.sha256);
    const path = this.#options.files.trash(file.sha256);
    if (path !== undefined) await removeFile(path);
  }
}
