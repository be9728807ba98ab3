/** Whose memory it is. */
export interface Lender {
  giveBack(chunk: Uint8Array): void;
  /** Somebody may look at it for ever: it does not come back. */
  lost?(): void;
}

/** Memory of a connection that several look at: it is given back when the last of them is done. */
export class Loan {
  readonly #lender: Lender;
  readonly #chunk: Uint8Array;
  #holders = 1;
  #lost = false;

  /** Whoever makes it holds it. */
  constructor(lender: Lender, chunk: Uint8Array) {
    this.#lender = lender;
    this.#chunk = chunk;
  }

  /** Whether others than its maker hold it. */
  get isShared(): boolean {
    return this.#holders > 1;
  }

  hold(): this {
    this.#holders += 1;
    return this;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0 && !this.#lost) this.#lender.giveBack(this.#chunk);
  }

  /** A holder goes, and some of it may still be on its way: nobody may write there again. */
  abandon(): void {
    this.#holders -= 1;
    if (this.#lost) return;
    this.#lost = true;
    this.#lender.lost?.();
  }
}
