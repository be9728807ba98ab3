import { Loan } from './loan.ts';
import type { Piece } from './recent-chunks.ts';

/** What one read from the store brings, for all who come by there. */
const pieceBytes = 512 * 1024;
/** How many there may be, those included that are still on their way to slow clients; one a reader at most. */
const mostPieces = 32;

/** What is read of a fill. */
export interface StoredBytes {
  readonly size: number | undefined;
  /** How many read it. */
  readonly readers: number;
  /** End (exclusive) of the bytes from `position` on that have arrived. */
  readonly present: { upTo(position: number): number };
  /** Copies stored bytes from `position` on into `target`; those that were copied. */
  readStored(position: number, target: Uint8Array): Promise<Uint8Array>;
}

interface SharedPiece extends Piece {
  readonly chunk: Uint8Array;
  readonly loan: Loan;
  /** Until its bytes are there. */
  loading: Promise<void> | undefined;
}

/**
 * Pieces of a growing body for many readers that are behind its newest bytes: read once from the store,
 * given to all of them. Each on its own would read all of it, in small parts, for want of memory.
 */
export class SharedPieces {
  readonly #body: StoredBytes;
  /** By number; the one that was used last comes last. */
  readonly #pieces = new Map<number, SharedPiece>();
  readonly #free: Uint8Array[] = [];
  #made = 0;

  constructor(body: StoredBytes) {
    this.#body = body;
  }

  /** The piece with the byte at `position`, where it is in memory. */
  at(position: number): Piece | undefined {
    if (this.#pieces.size === 0) return undefined;
    const number = Math.floor(position / pieceBytes);
    const piece = this.#pieces.get(number);
    if (piece === undefined || piece.loading) return undefined;
    this.#pieces.delete(number);
    this.#pieces.set(number, piece);
    return piece;
  }

  /**
   * Resolves when `at` has the byte at `position`; rejects when it cannot be read. Undefined where the
   * rest of its piece has not arrived yet, or all memory for pieces is on its way to clients.
   */
  load(position: number): Promise<void> | undefined {
    const number = Math.floor(position / pieceBytes);
    const start = number * pieceBytes;
    const length = Math.min(pieceBytes, (this.#body.size ?? Number.POSITIVE_INFINITY) - start);
    if (this.#body.present.upTo(start) < start + length) return undefined;
    const known = this.#pieces.get(number);
    if (known) return known.loading ?? Promise.resolve();
    const memory = this.#memory();
    if (memory === undefined) return undefined;
    const lost = (): void => this.#lose(number, piece);
    const loan = new Loan({ giveBack: () => this.#free.push(memory), lost }, memory);
    const chunk = memory.subarray(0, length);
    const piece: SharedPiece = { position: start, chunk, loan, loading: undefined };
    this.#pieces.set(number, piece);
    piece.loading = this.#read(number, piece);
    return piece.loading;
  }

  /** Lets go of all that nobody is just being given. */
  clear(): void {
    for (const [number, piece] of this.#pieces) if (!piece.loading) this.#drop(number, piece);
    this.#made -= this.#free.length;
    this.#free.length = 0;
  }

  async #read(number: number, piece: SharedPiece): Promise<void> {
    const { position, chunk } = piece;
    try {
      for (let done = 0; done < chunk.length; ) {
        const bytes = await this.#body.readStored(position + done, chunk.subarray(done));
        done += bytes.length;
      }
      piece.loading = undefined;
      // Whoever waited for it takes it before it is the oldest.
      this.at(position);
    } catch (error) {
      this.#drop(number, piece);
      throw error;
    }
  }

  #drop(number: number, { loan }: SharedPiece): void {
    this.#pieces.delete(number);
    loan.release();
  }

  /** Whoever comes now gets one of its own. */
  #lose(number: number, piece: SharedPiece): void {
    if (this.#pieces.get(number) === piece) this.#pieces.delete(number);
    this.#made -= 1;
  }

  #memory(): Uint8Array | undefined {
    const isMost = this.#made >= Math.min(mostPieces, this.#body.readers);
    if (this.#free.length === 0 && isMost) this.#dropOldest();
    const free = this.#free.pop();
    if (free || isMost) return free;
    this.#made += 1;
    return Buffer.allocUnsafeSlow(pieceBytes);
  }

  /** The one that was not used for longest, of those that nobody holds. */
  #dropOldest(): void {
    for (const [number, piece] of this.#pieces) {
      if (piece.loading || piece.loan.isShared) continue;
      this.#drop(number, piece);
      return;
    }
  }
}
