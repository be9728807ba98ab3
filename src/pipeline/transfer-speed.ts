/** What a body's connections bring at a moment. Times are in milliseconds, on a clock that does not go back. */
export interface SpeedSample {
  readonly at: number;
  /** Bytes that have arrived so far. */
  readonly bytes: number;
  /** Bytes a millisecond of all connections together just now; undefined before any can be told. */
  readonly current: number | undefined;
}

/** How far back the average looks, in milliseconds. */
const memoryMs = 3_000;
/** Samples nearer to each other say too little, farther apart too late. */
const nearMs = 200;
const farMs = 10_000;

/**
 * How fast a body arrives: a moving average over the last seconds, made only when somebody looks.
 * Whoever looks after a while begins with what the connections bring at that moment.
 */
export class TransferSpeed {
  #last: { readonly at: number; readonly bytes: number } | undefined;
  #rate: number | undefined;

  /** Bytes a millisecond; undefined while there is nothing to say. */
  look({ at, bytes, current }: SpeedSample): number | undefined {
    const last = this.#last;
    if (last === undefined || at - last.at > farMs || this.#rate === undefined) {
      this.#last = { at, bytes };
      this.#rate = current;
      return current;
    }
    const ms = at - last.at;
    if (ms < nearMs) return this.#rate;
    const weight = 1 - Math.exp(-ms / memoryMs);
    this.#rate += weight * ((bytes - last.bytes) / ms - this.#rate);
    this.#last = { at, bytes };
    return this.#rate;
  }
}
