import type { Loan } from './loan.ts';

export interface Piece {
  readonly position: number;
  readonly chunk: Uint8Array;
  /** Where its memory is lent; undefined: it is here to stay. */
  readonly loan: Loan | undefined;
}

/**
 * The latest pieces of a growing body, in the order they arrived, so that readers in step with the
 * fill share one copy and touch no file. The owner bounds `bytes` by dropping.
 */
export class RecentChunks {
  #pieces: Piece[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(position: number, chunk: Uint8Array, loan?: Loan): void {
    this.#pieces.push({ position, chunk, loan: loan?.hold() });
    this.#bytes += chunk.length;
  }

  /** The piece that holds the byte at `position`; undefined when none does. */
  at(position: number): Piece | undefined {
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const piece = this.#pieces[i] as Piece;
      if (position >= piece.position && position < piece.position + piece.chunk.length)
        return piece;
    }
    return undefined;
  }

  /** Lets the oldest pieces go until at most `limit` bytes are left. */
  trimTo(limit: number): void {
    while (this.#bytes > limit) this.#shift();
  }

  /** Lets go what ends at or before `position`. */
  dropBefore(position: number): void {
    while (this.#pieces[0] && this.#pieces[0].position + this.#pieces[0].chunk.length <= position) {
      this.#shift();
    }
  }

  clear(): void {
    while (this.#pieces.length > 0) this.#shift();
  }

  #shift(): void {
    const piece = this.#pieces.shift();
    if (piece === undefined) return;
    this.#bytes -= piece.chunk.length;
    piece.loan?.release();
  }
}
