import type { ByteRange } from '../../core/body.ts';
import type { BodyPieces, PiecePlace } from '../body-pieces.ts';

/** Bytes that may be sent at once. */
const mostAtOnce = 1024 * 1024;

/** A piece that is kept. */
export interface Piece {
  /** In the memory store. */
  readonly key: string;
  readonly body: LargeBody;
  readonly index: number;
  readonly bytes: Uint8Array;
  /** When its use was noted last. */
  turn: number;
}

/** What the large bodies have in common: their pieces take places from one another. */
export interface LargeBodies {
  readonly pieceBytes: number;
  /** Changes when what was read before counts half. */
  readonly era: number;
  /** Whether it was not forgotten. */
  has(body: LargeBody): boolean;
  forget(sha256: string): void;
  use(piece: Piece): void;
  /** Notes what is read of any of them. */
  note(bytes: number, inMemory: boolean): void;
  /** Room for a piece that was read so often; `settle` gives it up. */
  reserve(length: number, times: number): boolean;
  /** What was reserved is free again, and the piece there where it is one. */
  settle(length: number, piece: Piece | undefined): void;
}

/** One body that is too large to be in memory whole. */
export class LargeBody implements BodyPieces {
  readonly sha256: string;
  readonly size: number;
  readonly #all: LargeBodies;
  /** Bytes that were read of each piece lately. */
  readonly #read: Float64Array;
  readonly #kept = new Map<number, Piece>();
  /** On their way into memory: one reader brings each, however many ask. */
  readonly #coming = new Set<number>();
  #era: number;

  constructor(all: LargeBodies, sha256: string, size: number) {
    this.#all = all;
    this.sha256 = sha256;
    this.size = size;
    this.#read = new Float64Array(Math.ceil(size / all.pieceBytes));
    this.#era = all.era;
  }

  /** Of its pieces. */
  get count(): number {
    return this.#read.length;
  }

  kept(): readonly Piece[] {
    return [...this.#kept.values()];
  }

  added(piece: Piece): void {
    this.#kept.set(piece.index, piece);
  }

  released(piece: Piece): void {
    if (this.#kept.get(piece.index) === piece) this.#kept.delete(piece.index);
  }

  /** How often the piece was read lately. */
  times(index: number): number {
    this.#age();
    return (this.#read[index] ?? 0) / this.#lengthOf(index);
  }

  at(position: number, end: number): Uint8Array | undefined {
    const { pieceBytes } = this.#all;
    const index = Math.floor(position / pieceBytes);
    const piece = this.#kept.get(index);
    if (piece === undefined) return undefined;
    this.#all.use(piece);
    const start = index * pieceBytes;
    return piece.bytes.subarray(position - start, end - start);
  }

  part({ first, last }: ByteRange): readonly Uint8Array[] | undefined {
    const length = last + 1 - first;
    if (length > mostAtOnce || this.#kept.size === 0) return undefined;
    const chunks: Uint8Array[] = [];
    for (let done = 0; done < length; ) {
      const chunk = this.at(first + done, last + 1);
      if (chunk === undefined) return undefined;
      chunks.push(chunk);
      done += chunk.length;
    }
    this.noteRead(first, length, true);
    return chunks;
  }

  noteRead(position: number, length: number, inMemory: boolean): void {
    this.#all.note(length, inMemory);
    this.#age();
    const { pieceBytes } = this.#all;
    const end = position + length;
    for (let index = Math.floor(position / pieceBytes); index * pieceBytes < end; index += 1) {
      const first = Math.max(position, index * pieceBytes);
      const bytes = Math.min(end, (index + 1) * pieceBytes) - first;
      this.#read[index] = (this.#read[index] ?? 0) + bytes;
    }
  }

  wanted(position: number): ByteRange | undefined {
    const { pieceBytes } = this.#all;
    const index = Math.floor(position / pieceBytes);
    if (this.times(index) < 1 || this.#kept.has(index) || this.#coming.has(index)) return undefined;
    if (!this.#all.has(this)) return undefined;
    const first = index * pieceBytes;
    return { first, last: first + this.#lengthOf(index) - 1 };
  }

  place({ first, last }: ByteRange): PiecePlace | undefined {
    const index = first / this.#all.pieceBytes;
    const length = last + 1 - first;
    if (!this.#all.reserve(length, this.times(index))) return undefined;
    this.#coming.add(index);
    const settle = (piece: Piece | undefined): void => {
      this.#coming.delete(index);
      // The body may have been forgotten in the meantime.
      this.#all.settle(length, this.#all.has(this) ? piece : undefined);
    };
    // Never of a pool: it is sent from for as long as a client takes.
    const bytes = Buffer.allocUnsafeSlow(length);
    const key = `${this.sha256} ${index}`;
    return {
      start: first,
      bytes,
      keep: () => settle({ key, body: this, index, bytes, turn: -1 }),
      drop: () => settle(undefined),
    };
  }

  forget(): void {
    if (this.#all.has(this)) this.#all.forget(this.sha256);
  }

  #lengthOf(index: number): number {
    const { pieceBytes } = this.#all;
    return Math.min(pieceBytes, this.size - index * pieceBytes);
  }

  #age(): void {
    const { era } = this.#all;
    if (era === this.#era) return;
    const part = 0.5 ** (era - this.#era);
    this.#era = era;
    for (const [index, bytes] of this.#read.entries()) this.#read[index] = bytes * part;
  }
}
