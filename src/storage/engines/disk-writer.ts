import type { DiskDatabase } from './disk-database.ts';
import type { Reservation } from './disk-space.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { type Totals, WriterJob } from './writer-job.ts';

/** How long one transaction may keep the event loop, in milliseconds, before it is committed. */
const turnMs = 3;
/** Where this many came together, more are on their way: those that may wait do, this long. */
const crowd = 2;
const gatherMs = 8;
/**
 * As many as are worth a transaction: pages that all jobs write to are written once for them. With half
 * as many a body of 8 KiB takes a sixth more writes.
 */
const worthwhile = 48;
/** Jobs that may wait before nobody brings more: with bodies of 64 KiB each they hold 32 MiB. */
const most = 512;

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
  /** Those who wait until fewer jobs do. */
  #patient: (() => void)[] = [];

  constructor(options: DiskWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Runs the job in a transaction; it may run twice, and what it did the first time is undone then.
   * Work that waits for nothing gives no promise. Nobody waits for a job that is `patient`: where many
   * come it lets a few milliseconds' worth of them come together. `onCommit` is called at once when
   * the job is committed, and must not throw.
   */
  run<T>(
    work: (job: WriterJob) => T | Promise<T>,
    patient = false,
    onCommit?: (job: WriterJob) => void,
    reservation?: Reservation,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = resolve as (value: unknown) => void;
      this.#queue.push(new WriterJob(work, settle, reject, onCommit, reservation));
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

  /**
   * Resolves when few jobs wait: bodies that are to be stored are in memory until then, and the medium
   * may be slower than they come. Undefined where few wait.
   */
  eased(): Promise<void> | undefined {
    if (this.#queue.length < most) return undefined;
    return new Promise((resolve) => {
      this.#patient.push(resolve);
    });
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
    if (this.#interludes.length > 0) {
      for (const work of this.#interludes.splice(0)) await work();
    }
    if (this.#queue.length > 0 && (await this.#mayWrite())) await this.#transact();
    const { log } = this.#options.database;
    if (log.isDue) await log.empty();
    this.#ease();
    if (this.#queue.length + this.#interludes.length > 0) this.#schedule(false);
    else this.#rest();
  }

  /** Where copying the log did not end, nothing can be written: whoever waits hears why. */
  async #mayWrite(): Promise<boolean> {
    const { log } = this.#options.database;
    const failure = log.mustEnd ? await log.empty() : undefined;
    if (!failure) return true;
    this.#suspects = 0;
    for (const job of this.#queue.splice(0)) job.reject(failure);
    return false;
  }

  async #transact(): Promise<void> {
    const { database, trouble, addTotals } = this.#options;
    const done: WriterJob[] = [];
    const counted = { bytes: 0, entries: 0 };
    const careful = this.#suspects > 0;
    let job = this.#next(careful);
    try {
      database.run('BEGIN IMMEDIATE');
      const end = this.#now() + turnMs;
      while (job) {
        if (careful) {
          if (await this.#attemptAlone(job, counted)) done.push(job);
        } else {
          // No function of its own: most jobs come by here, and each more is one more promise.
          try {
            const value = job.perform(counted);
            job.value = value instanceof Promise ? await value : value;
          } catch (error) {
            this.#undoAll(error, job, done);
            return;
          }
          done.push(job);
        }
        // A job that was undone changes them by nothing.
        counted.bytes += job.bytes;
        counted.entries += job.entries;
        job = this.#now() < end ? this.#next(careful) : undefined;
      }
      addTotals(counted);
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
  async #attemptAlone(job: WriterJob, counted: Totals): Promise<boolean> {
    const { database } = this.#options;
    database.run('SAVEPOINT job');
    try {
      job.value = await job.perform(counted);
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

  #ease(): void {
    if (this.#patient.length === 0 || this.#queue.length >= most) return;
    const patient = this.#patient;
    this.#patient = [];
    for (const resolve of patient) resolve();
  }

  #rest(): void {
    this.#busy = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
