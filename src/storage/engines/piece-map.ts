import { crc32 } from 'node:zlib';
import type { BodyPrefix, ByteRange, HashedBody } from '../../core/body.ts';

/** Bytes that were written to a file, and how they are known again. */
export interface Piece extends ByteRange {
  /**
   * Their CRC-32; or, from `proofs` on, what `proofOf` makes of the SHA-256 of the body from its
   * beginning to the end of the piece.
   */
  readonly check: number;
}

/** The least number that stands for a SHA-256. */
const proofs = 2 ** 52;
/** Hexadecimal digits of it that the number holds. */
const proofDigits = 13;
/** Where the hash is further behind, the rest gets a CRC-32: so much is lost at a crash. In bytes. */
const mostBehind = 8 * 1024 * 1024;

/** The beginning of a SHA-256 (lower-case hexadecimal) as a number that is no CRC-32. */
export function proofOf(sha256: string): number {
  return proofs + Number.parseInt(sha256.slice(0, proofDigits), 16);
}

/** Whether the piece is known by the SHA-256 of all up to its end. */
export function isProven({ check }: Piece): boolean {
  return check >= proofs;
}

/**
 * Which bytes of a file were written, in pieces that can be checked one by one. Those that are written
 * in order from the beginning cost nothing where the body is hashed anyway: each piece of them is known
 * by that hash. All others have a CRC-32.
 */
export class PieceMap {
  readonly #pieceBytes: number;
  readonly #pieces = new Map<number, Piece>();
  /** Pieces that still grow, by the position behind them. */
  readonly #growing = new Map<number, Piece>();
  #bytes = 0;
  #hash: HashedBody | undefined;
  /** What came in order ends here, and from `#proven` on is no piece yet. */
  #inOrder = 0;
  #proven = 0;
  /** The end of the next piece of it, once that is written. */
  #next: BodyPrefix | undefined;

  /** A piece grows to `pieceBytes`, and by at most one write beyond. `known` ones grow no more. */
  constructor(pieceBytes: number, known: readonly Piece[] = []) {
    this.#pieceBytes = pieceBytes;
    for (const piece of known) {
      this.#set(piece);
      if (piece.first === this.#inOrder) this.#inOrder = piece.last + 1;
    }
    this.#proven = this.#inOrder;
  }

  /** Bytes of all pieces. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that were written in order, and are no piece yet. */
  get unproven(): number {
    return this.#inOrder - this.#proven;
  }

  /** The body is hashed as it comes; before anything is added. */
  provenBy(hash: HashedBody): void {
    this.#hash = hash;
  }

  /** Notes bytes that were written at `position` and were not noted before. */
  add(position: number, chunks: readonly Uint8Array[]): void {
    const end = chunks.reduce((sum, { length }) => sum + length, position);
    const isNext = position === this.#inOrder;
    if (isNext && this.#isHashed(end)) {
      this.#inOrder = end;
      if (this.unproven >= this.#pieceBytes) this.#proveNext();
      return;
    }
    // A hash that comes behind is still to prove what is before this.
    if (isNext && this.#hash?.reaches) void this.hashed();
    else if (isNext) this.#passOver(end);
    const before = this.#growing.get(position);
    const check = chunks.reduce((crc, chunk) => crc32(chunk, crc), before?.check ?? 0);
    if (before) this.#bytes -= before.last + 1 - before.first;
    const piece = { first: before?.first ?? position, last: end - 1, check };
    this.#growing.delete(position);
    if (end - piece.first < this.#pieceBytes) this.#growing.set(end, piece);
    this.#set(piece);
  }

  /** Resolves when all that was written in order is hashed as far as it will be. */
  async hashed(): Promise<void> {
    await this.#hash?.reaches?.(this.#inOrder);
  }

  /** Makes a piece of what was written in order, as far as it was hashed and hashed as it was written. */
  prove(): void {
    while (this.unproven > 0 && this.#proveNext());
  }

  /** Gives up a piece that is not what it was. */
  remove({ first, last }: ByteRange): void {
    if (this.#pieces.delete(first)) this.#bytes -= last + 1 - first;
  }

  /** All pieces, in order. */
  all(): readonly Piece[] {
    return [...this.#pieces.values()].sort((a, b) => a.first - b.first);
  }

  /** Whether all up to `end` is hashed, or will be soon. */
  #isHashed(end: number): boolean {
    if (!this.#hash) return false;
    const ahead = this.#hash.reaches ? mostBehind : 0;
    return this.#hash.position + ahead >= end;
  }

  #proveNext(): boolean {
    this.#next ??= this.#hash?.prefix();
    // It has not come further, or is ahead of what is written.
    if (this.#next && this.#next.bytes <= this.#proven) this.#next = undefined;
    if (!this.#next || this.#next.bytes > this.#inOrder) return false;
    const { bytes, sha256 } = this.#next;
    this.#next = undefined;
    this.#set({ first: this.#proven, last: bytes - 1, check: proofOf(sha256) });
    this.#proven = bytes;
    return true;
  }

  /** What is next in order gets a CRC-32. */
  #passOver(end: number): void {
    // Behind a gap nothing is known by the hash of all before it.
    if (this.unproven > 0) this.#hash = undefined;
    this.#next = undefined;
    this.#inOrder = end;
    this.#proven = end;
  }

  #set(piece: Piece): void {
    this.#pieces.set(piece.first, piece);
    this.#bytes += piece.last + 1 - piece.first;
  }
}
