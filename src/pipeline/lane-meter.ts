/** How long a figure is made of, in milliseconds. */
const windowMs = 100;
/** The share of the newest figure in the average. */
const newest = 0.5;

/** How fast a connection is just now. Times are in milliseconds, on a clock that does not go back. */
export class LaneMeter {
  #rate: number | undefined;
  #from: number | undefined;
  #bytes = 0;
  #lastAt: number;

  /** `at`: when the response was there. */
  constructor(at: number) {
    this.#lastAt = at;
  }

  /** Whether bytes have come. */
  get flowing(): boolean {
    return this.#from !== undefined;
  }

  took(bytes: number, at: number): void {
    this.#lastAt = at;
    this.#from ??= at;
    this.#bytes += bytes;
    const ms = at - this.#from;
    if (ms < windowMs) return;
    const rate = this.#bytes / ms;
    this.#rate = this.#rate === undefined ? rate : newest * rate + (1 - newest) * this.#rate;
    this.#from = at;
    this.#bytes = 0;
  }

  /** Somebody else made it wait: that is no silence. */
  waited(at: number): void {
    this.#lastAt = at;
    if (this.#from === undefined) return;
    this.#from = at;
    this.#bytes = 0;
  }

  /** Bytes a millisecond; undefined before there is anything to say. */
  rate(at: number): number | undefined {
    const ms = this.#from === undefined ? 0 : at - this.#from;
    if (ms < windowMs / 4) return this.#rate;
    const now = this.#bytes / ms;
    // What is silent is as slow as its silence is long.
    return this.#rate === undefined || (ms > windowMs && now < this.#rate) ? now : this.#rate;
  }

  silentMs(at: number): number {
    return at - this.#lastAt;
  }
}
