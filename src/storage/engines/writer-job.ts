import { DiskChange } from './disk-change.ts';
import type { Reservation } from './disk-space.ts';

/** What the counters of the database change by. */
export interface Totals {
  readonly bytes: number;
  readonly entries: number;
}

const nothing: Totals = { bytes: 0, entries: 0 };

/**
 * A job of the writer: what it changes, the counters included, which are written once for all jobs of
 * a transaction.
 */
export class WriterJob extends DiskChange {
  readonly #work: (job: WriterJob) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly #onCommit: ((job: WriterJob) => void) | undefined;
  /** Space that was reserved for what it stores. */
  readonly reservation: Reservation | undefined;
  #rollbacks: (() => void)[] | undefined;
  #behind = nothing;
  /** What the work gave. */
  value: unknown;

  constructor(
    work: (job: WriterJob) => unknown,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
    onCommit: ((job: WriterJob) => void) | undefined,
    reservation: Reservation | undefined,
  ) {
    super();
    this.#work = work;
    this.resolve = resolve;
    this.reject = reject;
    this.#onCommit = onCommit;
    this.reservation = reservation;
  }

  /** Does the work; `behind` is what jobs before it in the transaction changed the counters by. */
  perform(behind: Totals): unknown {
    this.#behind = behind;
    return this.#work(this);
  }

  /** By how much the counters are behind the jobs of the transaction that ran before. */
  uncounted(): Totals {
    return { ...this.#behind };
  }

  /** Runs at once when the job is undone; must not throw. */
  onRollback(action: () => void): void {
    this.#rollbacks ??= [];
    this.#rollbacks.push(action);
  }

  committed(): void {
    this.#onCommit?.(this);
  }

  /** As if it had never run: the latest action first. */
  undo(): void {
    const actions = this.#rollbacks?.reverse();
    this.#rollbacks = undefined;
    this.reset();
    for (const action of actions ?? []) action();
  }
}
