import { crc32 } from 'node:zlib';
import type { ByteRange } from '../../core/body.ts';

/** Bytes that were written to a file, with their CRC-32. */
export interface Piece extends ByteRange {
  readonly crc: number;
}

/** Which bytes of a file were written, in pieces that can be checked one by one. */
export class PieceMap {
  readonly #pieceBytes: number;
  readonly #pieces = new Map<number, Piece>();
  /** Pieces that still grow, by the position behind them. */
  readonly #growing = new Map<number, Piece>();
  #bytes = 0;

  /** A piece grows to `pieceBytes`, and by at most one write beyond. `known` ones grow no more. */
  constructor(pieceBytes: number, known: readonly Piece[] = []) {
    this.#pieceBytes = pieceBytes;
    for (const piece of known) this.#set(piece);
  }

  /** Bytes of all pieces. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes bytes that were written at `position` and were not noted before. */
  add(position: number, chunks: readonly Uint8Array[]): void {
    const before = this.#growing.get(position);
    let crc = before?.crc ?? 0;
    let end = position;
    for (const chunk of chunks) {
      crc = crc32(chunk, crc);
      end += chunk.length;
    }
    if (before) this.#bytes -= before.last + 1 - before.first;
    const piece = { first: before?.first ?? position, last: end - 1, crc };
    this.#growing.delete(position);
    if (end - piece.first < this.#pieceBytes) this.#growing.set(end, piece);
    this.#set(piece);
  }

  /** Gives up a piece that is not what it was. */
  remove({ first, last }: ByteRange): void {
    if (this.#pieces.delete(first)) this.#bytes -= last + 1 - first;
  }

  /** All pieces, in order. */
  all(): readonly Piece[] {
    return [...this.#pieces.values()].sort((a, b) => a.first - b.first);
  }

  #set(piece: Piece): void {
    this.#pieces.set(piece.first, piece);
    this.#bytes += piece.last + 1 - piece.first;
  }
}
