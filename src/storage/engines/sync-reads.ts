/** A read of a buffer's length that the system has in memory takes a fiftieth of this; milliseconds. */
const slowMs = 4;
/** So long nobody is kept waiting without consequences, whatever it was. */
const stallMs = 30;
const leastPauseMs = 5;
const mostPauseMs = 10_000;
/** So many quick ones in a row, and what was slow is forgotten. */
const quickInARow = 256;

/**
 * Whether a file may be read on the event loop. What the system has in memory is read there several
 * times as fast as by a file thread; what it has not would keep all clients waiting, and nobody can
 * ask beforehand. So the time that each read took decides on the next: after a slow one all go to
 * the file threads for a while, and for four times as long when the next is slow, too.
 */
export class SyncReads {
  readonly #fetched: () => number | undefined;
  #fetchedBefore: number | undefined;
  #pauseMs = leastPauseMs;
  #until = 0;
  #quick = 0;

  /**
   * `fetched`: bytes that the system has read from its media for this process, undefined where it does
   * not say. A slow read during which there were none had to wait for another process's turn.
   */
  constructor(fetched: () => number | undefined) {
    this.#fetched = fetched;
    this.#fetchedBefore = fetched();
  }

  /** `now` in milliseconds of any clock that never goes back. */
  allowed(now: number): boolean {
    return now >= this.#until;
  }

  /** A read took from `before` to `after`; whether that was slow, and not the first time lately. */
  took(before: number, after: number): boolean {
    if (after - before < slowMs || !this.#isMedium(after - before)) {
      this.#quick += 1;
      if (this.#quick === quickInARow) this.#pauseMs = leastPauseMs;
      return false;
    }
    const again = this.#pauseMs > leastPauseMs;
    this.#quick = 0;
    this.#until = after + this.#pauseMs;
    this.#pauseMs = Math.min(4 * this.#pauseMs, mostPauseMs);
    return again;
  }

  #isMedium(ms: number): boolean {
    const fetched = this.#fetched();
    const some = fetched === undefined || fetched !== this.#fetchedBefore;
    this.#fetchedBefore = fetched;
    return some || ms >= stallMs;
  }
}
