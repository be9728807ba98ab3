/** Whose memory it is. */
export interface Lender {
  giveBack(chunk: Uint8Array): void;
}

/** Memory of a connection that several look at: it is given back when the last of them is done. */
export class Loan {
  readonly #lender: Lender;
  readonly #chunk: Uint8Array;
  #holders = 1;

  /** Whoever makes it holds it. */
  constructor(lender: Lender, chunk: Uint8Array) {
    this.#lender = lender;
    this.#chunk = chunk;
  }

  hold(): this {
    this.#holders += 1;
    return this;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#lender.giveBack(this.#chunk);
  }
}
