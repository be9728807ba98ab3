/** For how long what comes had to wait for us. Times are in milliseconds, passed in. */
export class LaneWaits {
  #from: number | undefined;
  #ms = 0;

  /** It has to wait. */
  begin(at: number): void {
    this.#from ??= at;
  }

  /** It goes on. */
  end(at: number): void {
    if (this.#from !== undefined) this.#ms += at - this.#from;
    this.#from = undefined;
  }

  /** Milliseconds so far. */
  total(at: number): number {
    return this.#ms + (this.#from === undefined ? 0 : at - this.#from);
  }
}
