import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ByteRange, HashedBody } from '../../core/body.ts';
import { isStorageError } from '../storage-error.ts';
import type { PartialIdentity } from '../store.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { DiskLeftoverRows, LeftoverRow } from './disk-leftover-rows.ts';
import { isProven, type Piece, PieceMap, proofOf } from './piece-map.ts';

/** Less than this is not worth taking up, in bytes. */
export const minResumedBytes = 1024 * 1024;
/** A map has about so many pieces at the most, and is written about so often by its bytes alone. */
const maxPieces = 1024;
const maxNotes = 32;
const minPieceBytes = 1024 * 1024;
/** It is written after so long in any case, in milliseconds, when there is something new. */
const noteMs = 1_000;
/** And no sooner after the last time, however much came: what is lost at a crash came in no longer. */
const leastNoteMs = 50;
const checkBytes = 256 * 1024;

export interface DiskPartialLogOptions {
  readonly id: string;
  readonly size: number;
  readonly identity: PartialIdentity;
  /** What an earlier transfer wrote. */
  readonly pieces: readonly Piece[];
  readonly rows: DiskLeftoverRows;
  readonly jobs: DiskJobs;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Notes which bytes of a partial body were written, so that a later run can take them up. Nothing is
 * noted before its write has returned, so after a crash of the process all that is noted is there.
 * After a power cut it may not be, because nothing is synced before the commit: syncing as the body
 * comes would make every fill wait for the medium for the sake of the few that break off. Instead
 * each piece is known by the hash of the body up to its end or by a CRC-32, and no byte of it is used
 * before the file was read back and has it (0.2 to 0.6 ms for 1 MiB): zeros, old blocks and short files
 * are found out, and rot as well.
 */
export class DiskPartialLog {
  readonly id: string;
  readonly identity: PartialIdentity;
  readonly size: number;
  readonly #options: DiskPartialLogOptions;
  readonly #map: PieceMap;
  #unchecked: readonly Piece[];
  #notedBytes: number;
  /** How many of them a crash does not take, because they are known by a hash or a checksum. */
  #sureBytes: number;
  #notedAt: number;
  #noting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #forgotten = false;

  constructor(options: DiskPartialLogOptions) {
    const { id, identity, size, pieces, now } = options;
    this.id = id;
    this.identity = identity;
    this.size = size;
    this.#options = options;
    this.#map = new PieceMap(Math.max(minPieceBytes, Math.ceil(size / maxPieces)), pieces);
    this.#unchecked = pieces;
    this.#notedBytes = this.#map.bytes;
    this.#sureBytes = this.#map.bytes;
    this.#notedAt = now();
  }

  /** Pieces that are still to be checked. */
  get unchecked(): readonly Piece[] {
    return this.#unchecked;
  }

  /** Whether nothing is to be taken up of it. */
  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** Bytes that were written. */
  get bytes(): number {
    return this.#map.bytes;
  }

  /** What the body's beginning hashes to; before anything is written. */
  provenBy(hash: HashedBody): void {
    this.#map.provenBy(hash);
  }

  /** Bytes were written to the file. */
  written(position: number, chunks: readonly Uint8Array[]): void {
    if (this.#ended) return;
    this.#map.add(position, chunks);
    this.#noteIfDue();
  }

  /** What is noted, or would be. */
  row(): LeftoverRow {
    const { id, size, identity } = this;
    return { id, size, identity, pieces: this.#map.all(), noted: this.#notedAt };
  }

  /**
   * Reads the pieces that an earlier run noted, through `read` and one buffer, and tells of each
   * whether it is what was written, until `tell` is false. A piece that is not is noted no more.
   */
  async check(
    read: (position: number, target: Uint8Array) => Promise<number>,
    tell: (piece: ByteRange, intact: boolean) => boolean,
  ): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(checkBytes);
    const beginning = { bytes: 0, hash: createHash('sha256') };
    for (let piece = this.#unchecked[0]; piece; piece = this.#unchecked[0]) {
      const hashed = this.#unchecked.some(isProven) ? beginning : undefined;
      const intact = await isIntact(piece, { read, buffer, hashed });
      if (!tell(piece, intact)) return;
      this.#unchecked = this.#unchecked.slice(1);
      if (!intact) this.#map.remove(piece);
    }
  }

  /** Notes what was written last; nothing is noted or checked afterwards. */
  async suspend(): Promise<void> {
    while (this.#noting) await this.#noting;
    if (this.#ended) return;
    await this.#map.hashed();
    this.#map.prove();
    if (this.bytes >= minResumedBytes) await this.#note();
    this.#end();
  }

  /** The body is stored, or of no use: nothing is noted of it any more. */
  async forget(): Promise<void> {
    this.#forgotten = true;
    this.#end();
    await this.#options.jobs.run(async () => this.#options.rows.remove(this.id));
  }

  get #written(): number {
    return this.bytes + this.#map.unproven;
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #noteIfDue(): void {
    const more = this.#written - this.#notedBytes;
    if (this.#noting || this.#ended || more <= 0 || this.#written < minResumedBytes) return;
    const ms = this.#options.now() - this.#notedAt;
    const unsure = this.#written - this.#sureBytes;
    const much = unsure >= Math.max(minResumedBytes, this.size / maxNotes);
    if (ms >= (much ? leastNoteMs : noteMs)) {
      void this.#note();
      return;
    }
    // Perhaps nothing more comes.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#noteIfDue();
    }, noteMs).unref();
  }

  #note(): Promise<void> {
    const { jobs, rows, now, onFailure } = this.#options;
    this.#map.prove();
    this.#notedBytes = this.#written;
    this.#sureBytes = this.bytes;
    this.#notedAt = now();
    const row = this.row();
    this.#noting = jobs
      .run(async () => {
        if (!this.#ended) rows.set(row);
      })
      .catch(onFailure)
      .finally(() => {
        this.#noting = undefined;
        // More may have been written meanwhile, and nothing afterwards.
        this.#noteIfDue();
      });
    return this.#noting;
  }
}

/** What a piece is read back with. */
interface Reading {
  readonly read: (position: number, target: Uint8Array) => Promise<number>;
  readonly buffer: Uint8Array;
  /** All before the piece, if it is known so far; undefined where no piece is known by that. */
  readonly hashed: { bytes: number; readonly hash: Hash } | undefined;
}

async function isIntact(piece: Piece, { read, buffer, hashed }: Reading): Promise<boolean> {
  const { first, last, check } = piece;
  const proven = isProven(piece);
  const beginning = hashed?.bytes === first ? hashed : undefined;
  if (proven && !beginning) return false;
  let crc = 0;
  try {
    for (let at = first; at <= last; ) {
      const wanted = buffer.subarray(0, Math.min(buffer.length, last + 1 - at));
      const bytes = wanted.subarray(0, await read(at, wanted));
      beginning?.hash.update(bytes);
      if (!proven) crc = crc32(bytes, crc);
      at += bytes.length;
    }
  } catch (error) {
    // What cannot be read is missing; the medium's trouble was noted where it was met.
    if (isStorageError(error)) return false;
    throw error;
  }
  const actual = proven && beginning ? proofOf(beginning.hash.copy().digest('hex')) : crc;
  // Behind what is not right nothing is known by the hash of all before it.
  if (beginning && actual === check) beginning.bytes = last + 1;
  return actual === check;
}
