/** How long a figure is made of, in milliseconds. */
const windowMs = 100;
/** The part of the time in waits, and for how many times as long, from which on parts are to be small. */
const tooMuch = 0.6;
const tooOften = 2;
const least = 1 / 16;

/**
 * How much what comes has to wait for us, and what that leaves of the length of parts. What waits does
 * so in the kernel, up to megabytes for each connection: for no use, and a crash loses it, as far as
 * it was asked for. Times are in milliseconds, passed in.
 */
export class LaneWaits {
  #part = 1;
  #inARow = 0;
  #since: number;
  #from: number | undefined;
  #ms = 0;
  #totalMs = 0;

  constructor(at: number) {
    this.#since = at;
  }

  /** What is left of the length; above 0, at most 1. */
  get part(): number {
    return this.#part;
  }

  /** It has to wait. */
  begin(at: number): void {
    this.#from ??= at;
  }

  /** It goes on. */
  end(at: number): void {
    if (this.#from === undefined) return;
    this.#ms += at - this.#from;
    this.#totalMs += at - this.#from;
    this.#from = undefined;
  }

  /** Milliseconds of waiting, so far. */
  total(at: number): number {
    return this.#totalMs + (this.#from === undefined ? 0 : at - this.#from);
  }

  look(at: number): void {
    const ms = at - this.#since;
    if (ms < windowMs) return;
    const waits = this.#from !== undefined;
    this.end(at);
    this.#inARow = this.#ms > tooMuch * ms ? this.#inARow + 1 : 0;
    if (this.#inARow >= tooOften) this.#part = least;
    else if (this.#inARow === 0) this.#part = Math.min(1, this.#part * 2);
    this.#since = at;
    this.#ms = 0;
    if (waits) this.begin(at);
  }
}
