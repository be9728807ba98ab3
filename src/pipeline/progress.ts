/** Wakes all who wait, at most once a turn of the event loop however often there is something new. */
export class Progress {
  #waiters: (() => void)[] = [];
  #scheduled = false;

  /** Resolves at the next wake. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** Wakes the waiters before the next turn is over. */
  soon(): void {
    if (this.#scheduled || this.#waiters.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.now();
    });
  }

  now(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
