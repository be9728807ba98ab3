/** Connections of all bodies together that come over more than one: each has its memory. */
const atMost = 16;

/** What the bodies that come over several connections share: connections, and this thread. */
export class LaneBudget {
  readonly #busyMs: () => number;
  #bodies = 0;

  /** `busyMs`: milliseconds for which this thread has been at work, so far. */
  constructor(busyMs = () => performance.eventLoopUtilization().active) {
    this.#busyMs = busyMs;
  }

  get busyMs(): number {
    return this.#busyMs();
  }

  /** The most for one body, at the moment. */
  get most(): number {
    return Math.max(1, Math.floor(atMost / Math.max(1, this.#bodies)));
  }

  enter(): void {
    this.#bodies += 1;
  }

  leave(): void {
    this.#bodies -= 1;
  }
}
