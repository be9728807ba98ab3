import type { DiskDatabase } from './disk-database.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { type Totals, type Transaction, WriterJob } from './writer-job.ts';

/** How long one transaction may keep the event loop, in milliseconds, before it is committed. */
const turnMs = 3;
/** Where this many came together, more are on their way: those that may wait do, this long. */
const crowd = 2;
const gatherMs = 4;
/** As many as are worth a transaction: pages that all jobs write to are written once for them. */
const worthwhile = 24;

export interface DiskWriterOptions {
  readonly database: DiskDatabase;
  readonly trouble: DiskTrouble;
  /** Adds to the counters of the database, in the transaction that is open. */
  readonly addTotals: (totals: Totals) => void;
  /** Milliseconds that never go back; the runtime's own clock unless given. */
  readonly now?: () => number;
}

/**
 * The only writer of the database. Jobs run one after the other; what arrives within one turn of the
 * event loop shares a transaction, and each job resolves when that is committed.
 *
 * A job that throws is undone alone. That is rare, and a savepoint for each job would cost as much
 * as its statements: the transaction is undone as a whole, and its jobs run again with savepoints.
 */
export class DiskWriter {
  readonly #options: DiskWriterOptions;
  readonly #now: () => number;
  readonly #queue: WriterJob[] = [];
  readonly #interludes: (() => Promise<void>)[] = [];
  #busy = false;
  /** Jobs at the head of the queue that were undone: one of them threw. */
  #suspects = 0;
  #crowded = false;
  #gathering: NodeJS.Timeout | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: DiskWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Runs the job in a transaction; it may run twice, and what it did the first time is undone then.
   * Nobody waits for one that is `patient`: where many come it lets a few milliseconds' worth of them
   * come together.
   */
  run<T>(work: (transaction: Transaction) => Promise<T>, patient = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push(new WriterJob(work, resolve as (value: unknown) => void, reject));
      if (!this.#busy) this.#schedule(patient && this.#crowded);
      else if (!patient || this.#queue.length >= worthwhile) this.#hurry();
    });
  }

  /** Runs the work between two transactions. It must not throw. */
  between(work: () => Promise<void>): void {
    this.#interludes.push(work);
    if (!this.#busy) this.#schedule(false);
    else this.#hurry();
  }

  /** Resolves when nothing is waiting to be written. */
  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  #schedule(gather: boolean): void {
    this.#busy = true;
    if (gather) this.#gathering = setTimeout(() => this.#hurry(), gatherMs);
    else setImmediate(() => void this.#turn());
  }

  /** Those that were gathered go now. */
  #hurry(): void {
    if (!this.#gathering) return;
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#schedule(false);
  }

  async #turn(): Promise<void> {
    for (const work of this.#interludes.splice(0)) await work();
    if (this.#queue.length > 0) await this.#transact();
    if (this.#queue.length + this.#interludes.length > 0) this.#schedule(false);
    else this.#rest();
  }

  async #transact(): Promise<void> {
    const { database, trouble, addTotals } = this.#options;
    const done: WriterJob[] = [];
    const behind = () => totalsOf(done);
    const careful = this.#suspects > 0;
    let job = this.#next(careful);
    try {
      database.run('BEGIN IMMEDIATE');
      const end = this.#now() + turnMs;
      while (job) {
        if (careful) {
          if (await this.#attemptAlone(job, behind)) done.push(job);
        } else {
          // No function of its own: most jobs come by here, and each more is one more promise.
          try {
            job.value = await job.perform(behind);
          } catch (error) {
            this.#undoAll(error, job, done);
            return;
          }
          done.push(job);
        }
        job = this.#now() < end ? this.#next(careful) : undefined;
      }
      addTotals(totalsOf(done));
      database.run('COMMIT');
      trouble.succeeded('database');
      this.#crowded = done.length >= crowd;
      for (const each of done) each.committed();
      for (const each of done) each.resolve(each.value);
    } catch (error) {
      this.#fail(error, job ? [...done, job] : done);
    }
  }

  #next(careful: boolean): WriterJob | undefined {
    if (!careful) return this.#queue.shift();
    if (this.#suspects === 0) return undefined;
    this.#suspects--;
    return this.#queue.shift();
  }

  /** The job threw: the transaction is over. Throws the same when it is lost. */
  #undoAll(error: unknown, job: WriterJob, done: readonly WriterJob[]): void {
    const { database } = this.#options;
    if (!database.inTransaction) throw error;
    database.run('ROLLBACK');
    job.undo();
    if (done.length === 0) job.reject(error);
    else this.#again([...done, job]);
  }

  /** Whether it is done: a job that throws leaves the transaction as it was before it. */
  async #attemptAlone(job: WriterJob, behind: () => Totals): Promise<boolean> {
    const { database } = this.#options;
    database.run('SAVEPOINT job');
    try {
      job.value = await job.perform(behind);
      database.run('RELEASE job');
      return true;
    } catch (error) {
      if (!database.inTransaction) throw error;
      database.run('ROLLBACK TO job');
      database.run('RELEASE job');
      job.undo();
      job.reject(error);
      return false;
    }
  }

  /** The jobs were undone with the transaction; the next one has them, and them alone. */
  #again(jobs: readonly WriterJob[]): void {
    for (const job of [...jobs].reverse()) job.undo();
    this.#queue.unshift(...jobs);
    this.#suspects = jobs.length;
  }

  #fail(error: unknown, jobs: readonly WriterJob[]): void {
    const { database, trouble } = this.#options;
    let reason = error;
    try {
      if (database.inTransaction) database.run('ROLLBACK');
    } catch (rollbackError) {
      reason = new AggregateError([error, rollbackError], 'rollback failed');
    }
    for (const job of [...jobs].reverse()) {
      job.undo();
      job.reject(trouble.note(reason, 'database'));
    }
  }

  #rest(): void {
    this.#busy = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

function totalsOf(jobs: readonly WriterJob[]): Totals {
  let bytes = 0;
  let entries = 0;
  for (const { totals } of jobs) {
    bytes += totals.bytes;
    entries += totals.entries;
  }
  return { bytes, entries };
}
