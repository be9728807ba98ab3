/**
 * Bounds something extra to a share of the requests: each one earns its share, and the extra spends a
 * whole one. It begins with `start` and never has more than `most`.
 */
export class RequestBudget {
  readonly #share: number;
  readonly #most: number;
  #credit: number;

  constructor(share: number, { start, most }: { start: number; most: number }) {
    this.#share = share;
    this.#most = most;
    this.#credit = start;
  }

  earn(): void {
    this.#credit = Math.min(this.#most, this.#credit + this.#share);
  }

  /** Whether there is one to spend. */
  get available(): boolean {
    // Twenty times 0.05 is a little less than 1.
    return this.#credit >= 1 - 1e-9;
  }

  /** Spends one where there is one, and says whether there was. */
  spend(): boolean {
    if (!this.available) return false;
    this.#credit -= 1;
    return true;
  }
}
