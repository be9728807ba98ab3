/** How far back the bytes count, in milliseconds. */
const windowMs = 3_000;

/** Bytes per second of late. Times are in milliseconds, on a clock that does not go back. */
export class Speed {
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  /** `bytes`: how many there are by now. */
  observe(at: number, bytes: number): void {
    const last = this.#samples.at(-1);
    // It began anew.
    if (last !== undefined && bytes < last.bytes) this.#samples.length = 0;
    this.#samples.push({ at, bytes });
    while ((this.#samples[1]?.at ?? at) < at - windowMs) this.#samples.shift();
  }

  /** Undefined before there is anything to say. */
  get bytesPerSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at <= first.at) return undefined;
    return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
  }
}
