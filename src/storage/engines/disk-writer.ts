import type { DiskDatabase } from './disk-database.ts';
import type { DiskTrouble } from './disk-trouble.ts';

/** How long one transaction may keep the event loop, in milliseconds, before it is committed. */
const turnMs = 3;

/** What a job may ask of the transaction it is part of; both run at once, and must not throw. */
export interface Transaction {
  onCommit(action: () => void): void;
  onRollback(action: () => void): void;
}

interface Job {
  readonly work: (transaction: Transaction) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly commits: (() => void)[];
  readonly rollbacks: (() => void)[];
  value?: unknown;
}

/**
 * The only writer of the database. Jobs run one after the other; what arrives within one turn of the
 * event loop shares a transaction, and each job resolves when that is committed.
 */
export class DiskWriter {
  readonly #database: DiskDatabase;
  readonly #trouble: DiskTrouble;
  readonly #queue: Job[] = [];
  readonly #interludes: (() => Promise<void>)[] = [];
  #busy = false;
  #waiters: (() => void)[] = [];

  constructor(database: DiskDatabase, trouble: DiskTrouble) {
    this.#database = database;
    this.#trouble = trouble;
  }

  /** Runs the job in a transaction; a job that throws is undone alone. */
  run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        work,
        resolve: (value) => resolve(value as T),
        reject,
        commits: [],
        rollbacks: [],
      });
      if (!this.#busy) this.#schedule();
    });
  }

  /** Runs the work between two transactions. It must not throw. */
  between(work: () => Promise<void>): void {
    this.#interludes.push(work);
    if (!this.#busy) this.#schedule();
  }

  /** Resolves when nothing is waiting to be written. */
  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  #schedule(): void {
    this.#busy = true;
    setImmediate(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    for (const work of this.#interludes.splice(0)) await work();
    if (this.#queue.length > 0) await this.#transact();
    if (this.#queue.length + this.#interludes.length > 0) this.#schedule();
    else this.#rest();
  }

  async #transact(): Promise<void> {
    const done: Job[] = [];
    let job = this.#queue.shift();
    try {
      this.#database.run('BEGIN IMMEDIATE');
      const end = performance.now() + turnMs;
      while (job) {
        if (await this.#attempt(job)) done.push(job);
        job = performance.now() < end ? this.#queue.shift() : undefined;
      }
      this.#database.run('COMMIT');
      this.#trouble.succeeded('database');
      for (const each of done) for (const action of each.commits) action();
      for (const each of done) each.resolve(each.value);
    } catch (error) {
      this.#fail(error, job ? [...done, job] : done);
    }
  }

  /** Whether the job's changes are part of the transaction. Throws when the transaction is lost. */
  async #attempt(job: Job): Promise<boolean> {
    this.#database.run('SAVEPOINT job');
    try {
      job.value = await job.work({
        onCommit: (action) => job.commits.push(action),
        onRollback: (action) => job.rollbacks.push(action),
      });
      this.#database.run('RELEASE job');
      return true;
    } catch (error) {
      if (!this.#database.inTransaction) throw error;
      this.#database.run('ROLLBACK TO job');
      this.#database.run('RELEASE job');
      undo(job, error);
      return false;
    }
  }

  #fail(error: unknown, jobs: readonly Job[]): void {
    let reason = error;
    try {
      if (this.#database.inTransaction) this.#database.run('ROLLBACK');
    } catch (rollbackError) {
      reason = new AggregateError([error, rollbackError], 'rollback failed');
    }
    for (const job of [...jobs].reverse()) undo(job, this.#trouble.note(reason, 'database'));
  }

  #rest(): void {
    this.#busy = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

function undo(job: Job, error: unknown): void {
  for (const action of [...job.rollbacks].reverse()) action();
  job.reject(error);
}
