import type { BodyRef } from '../../core/artifact-meta.ts';
import { LookupCounter } from '../../core/cache-lookups.ts';
import { type LargeBodies, LargeBody, type Piece } from './large-body.ts';
import { bodySize } from './memory-space.ts';

/** Of the memory tier, that pieces take at most. */
const share = 0.5;
/** As many bytes as this many times that share are read, and what was read before counts half. */
const sharesPerEra = 8;
/** A piece takes another's place when it was read this many times as often. */
const oftener = 2;
/** The use of a piece is noted again when as many bytes were read, or came in, as this part of the bound. */
const turnShare = 1 / 64;
/** How much is known of what was read, in numbers; a body takes one for each piece and these besides. */
const mostHistory = 32 * 1024;
const historyOverhead = 64;
/** Bytes of the tier for each of those numbers, at least: a small tier has a short memory. */
const bytesForHistory = 1024;

/** What keeps the pieces: the memory store, in one order of use with all else and under one bound. */
export interface PieceKeeper {
  /** Bytes, of all together. */
  readonly bound: number;
  /** Advances as bytes come in. */
  readonly turn: number;
  reserve(from: number, to: number): boolean;
  /** False when there is no room. */
  addPiece(piece: Piece): boolean;
  usePiece(piece: Piece): void;
  removePiece(piece: Piece): void;
}

/**
 * Pieces of large bodies, of which the files have the whole. One is kept when as many bytes as it has
 * were read from it lately, and it is read again: who reads a large body once leaves no trace. They
 * take a share of the memory tier; when that is full, only what is read much oftener takes a place.
 */
export class MemoryPieces implements LargeBodies {
  readonly pieceBytes: number;
  readonly lookups = new LookupCounter('pieces');
  readonly #keeper: PieceKeeper;
  readonly #mostHistory: number;
  /** By SHA-256, least recently used first. */
  readonly #bodies = new Map<string, LargeBody>();
  #latest: LargeBody | undefined;
  #history = 0;
  /** Each in its turn is the one whose place is asked for. */
  readonly #pieces = new Set<Piece>();
  #bytes = 0;
  #reserved = 0;
  #era = 0;
  #readInEra = 0;
  #readTurn = 0;
  #readInTurn = 0;

  /** `pieceBytes`: of each piece but a body's last. */
  constructor(keeper: PieceKeeper, pieceBytes: number) {
    this.#keeper = keeper;
    this.pieceBytes = pieceBytes;
    this.#mostHistory = Math.min(mostHistory, Math.floor(keeper.bound / bytesForHistory));
  }

  get era(): number {
    return this.#era;
  }

  /** Undefined for a body of which there are too many pieces to know about. */
  of({ sha256, size }: BodyRef): LargeBody | undefined {
    if (this.#latest?.sha256 === sha256 && this.#latest.size === size) return this.#latest;
    const known = this.#bodies.get(sha256);
    if (known?.size === size) {
      this.#bodies.delete(sha256);
      this.#bodies.set(sha256, known);
      this.#latest = known;
      return known;
    }
    const weight = historyOverhead + Math.ceil(size / this.pieceBytes);
    if (known !== undefined || weight > this.#mostHistory) return undefined;
    const body = new LargeBody(this, sha256, size);
    this.#bodies.set(sha256, body);
    this.#latest = body;
    this.#history += weight;
    for (const oldest of this.#bodies.keys()) {
      if (this.#history <= this.#mostHistory) break;
      this.forget(oldest);
    }
    return body;
  }

  /** Lets go of the body's pieces, and of what is known of them. */
  forget(sha256: string): void {
    const body = this.#bodies.get(sha256);
    if (body === undefined) return;
    this.#bodies.delete(sha256);
    if (this.#latest === body) this.#latest = undefined;
    this.#history -= historyOverhead + body.count;
    for (const piece of body.kept()) this.#keeper.removePiece(piece);
  }

  /** The keeper has let go of it. */
  released(piece: Piece): void {
    if (!this.#pieces.delete(piece)) return;
    this.#bytes -= bodySize(piece.bytes.length);
    piece.body.released(piece);
  }

  /** After the bound has sunk: those whose turn it is go until the rest is within the share. */
  trim(): void {
    for (const piece of this.#pieces) {
      if (this.#fits(0)) break;
      this.#keeper.removePiece(piece);
    }
  }

  has(body: LargeBody): boolean {
    return this.#bodies.get(body.sha256) === body;
  }

  use(piece: Piece): void {
    const turn = this.#keeper.turn + this.#readTurn;
    if (piece.turn === turn) return;
    piece.turn = turn;
    this.#keeper.usePiece(piece);
  }

  note(bytes: number, inMemory: boolean): void {
    this.lookups.count(inMemory);
    this.#readInTurn += bytes;
    if (this.#readInTurn > turnShare * this.#keeper.bound) {
      this.#readInTurn = 0;
      this.#readTurn += 1;
    }
    this.#readInEra += bytes;
    if (this.#readInEra < sharesPerEra * share * this.#keeper.bound) return;
    this.#readInEra = 0;
    this.#era += 1;
  }

  reserve(length: number, times: number): boolean {
    const size = bodySize(length);
    while (!this.#fits(size)) {
      const [next] = this.#pieces;
      if (next === undefined) return false;
      if (next.body.times(next.index) * oftener > times) {
        this.#pieces.delete(next);
        this.#pieces.add(next);
        return false;
      }
      this.#keeper.removePiece(next);
    }
    if (!this.#keeper.reserve(0, size)) return false;
    this.#reserved += size;
    return true;
  }

  settle(length: number, piece: Piece | undefined): void {
    const size = bodySize(length);
    this.#keeper.reserve(size, 0);
    this.#reserved -= size;
    if (piece === undefined || !this.#keeper.addPiece(piece)) return;
    this.#pieces.add(piece);
    this.#bytes += size;
    piece.body.added(piece);
  }

  #fits(size: number): boolean {
    return this.#bytes + this.#reserved + size <= share * this.#keeper.bound;
  }
}
