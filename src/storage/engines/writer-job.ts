/** What the counters of the database change by. */
export interface Totals {
  readonly bytes: number;
  readonly entries: number;
}

/** What a job may ask of the transaction it is part of; the actions run at once, and must not throw. */
export interface Transaction {
  onCommit(action: () => void): void;
  onRollback(action: () => void): void;
  /** What the job changes the counters by: they are written once, when the transaction ends. */
  count(totals: Totals): void;
  /** By how much the counters are behind the jobs of the transaction that ran before. */
  uncounted(): Totals;
}

type Work = (transaction: Transaction) => Promise<unknown>;

const nothing: Totals = { bytes: 0, entries: 0 };

/** A job of the writer, and what is to be done when it is committed, or undone. */
export class WriterJob implements Transaction {
  readonly #work: Work;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  #commits: (() => void)[] = [];
  #rollbacks: (() => void)[] = [];
  #before: () => Totals = () => nothing;
  #totals = nothing;
  /** What the work gave. */
  value: unknown;

  constructor(work: Work, resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.#work = work;
    this.resolve = resolve;
    this.reject = reject;
  }

  get totals(): Totals {
    return this.#totals;
  }

  /** `before` tells what the counters are behind by. */
  perform(before: () => Totals): Promise<unknown> {
    this.#before = before;
    return this.#work(this);
  }

  onCommit(action: () => void): void {
    this.#commits.push(action);
  }

  onRollback(action: () => void): void {
    this.#rollbacks.push(action);
  }

  count(totals: Totals): void {
    this.#totals = totals;
  }

  uncounted(): Totals {
    return this.#before();
  }

  committed(): void {
    for (const action of this.#commits) action();
  }

  /** As if it had never run: the latest action first. */
  undo(): void {
    const actions = this.#rollbacks.reverse();
    this.#commits = [];
    this.#rollbacks = [];
    this.#totals = nothing;
    for (const action of actions) action();
  }
}
