/** So few are woken at once: what has just come is still in the processor's cache then. */
const few = 4;

/**
 * Wakes all who wait: where they are many, at most once a turn of the event loop however often there
 * is something new.
 */
export class Progress {
  #waiters: (() => void)[] = [];
  #scheduled = false;

  /** Resolves at the next wake. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** Wakes the waiters before the next turn is over, never from within this call. */
  soon(): void {
    const { length } = this.#waiters;
    if (this.#scheduled || length === 0) return;
    if (length <= few) {
      this.now();
      return;
    }
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
