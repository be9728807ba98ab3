import type { BodyReader } from '../../core/body.ts';
import type { BodyPieces, PiecePlace } from '../body-pieces.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { bodyMissing } from '../storage-error.ts';
import type { BodyFile } from './disk-body-file.ts';

export interface FileReaderOptions {
  /** The reader is a user of it and releases it. */
  readonly file: BodyFile;
  /** First position, and the one after the last. */
  readonly start: number;
  readonly end: number;
  readonly pool: BufferPool;
  /** What the first chunk begins with; less than a buffer's length. */
  readonly lead?: Uint8Array | undefined;
  /** What of the body is in memory, and is to be. */
  readonly pieces?: BodyPieces | undefined;
  /** Makes what the medium throws the error that callers see; the file is not to be read again. */
  readonly failure: (error: unknown) => Error;
}

interface Chunk {
  readonly bytes: Uint8Array;
  /** The pool's, that they are in. */
  readonly buffer?: Buffer;
}

/**
 * Gives a part of a file: what is in memory as it is there, the rest read into pooled buffers or, what
 * is to stay in memory, into one of its own; at once where the system has it in memory, otherwise by
 * the file threads, the next one while the consumer has the last.
 */
export class FileReader implements BodyReader {
  readonly #options: FileReaderOptions;
  /** Where the next read begins. */
  #position: number;
  /** What the consumer has. */
  #lent: Buffer | undefined;
  #ahead: Promise<Chunk> | undefined;
  #reading = 0;
  #closed = false;
  #released = false;
  /** What is still to be given before what is read next. */
  #lead: Uint8Array | undefined;

  constructor(options: FileReaderOptions) {
    this.#options = options;
    this.#position = options.start;
    this.#lead = options.lead;
    if (options.start >= options.end) this.close();
  }

  async next(): Promise<Uint8Array | undefined> {
    const now = this.nextNow();
    if (now !== undefined || this.#closed) return now;
    const reading = this.#ahead ?? this.#readPiece() ?? this.#readInto(this.#options.pool.take());
    this.#ahead = undefined;
    const { bytes, buffer } = await reading;
    if (this.#closed) {
      this.#give(buffer);
      return undefined;
    }
    this.#lent = buffer;
    if (this.#position >= this.#options.end) this.#finish();
    else this.#readAhead();
    return bytes;
  }

  nextNow(): Uint8Array | undefined {
    this.#giveBack();
    if (this.#closed || this.#ahead !== undefined) return undefined;
    return this.#inMemory() ?? this.#pooledNow();
  }

  close(): void {
    this.#giveBack();
    this.#finish();
    // A read that nobody will wait for: it ends, then its buffer and the file can go.
    this.#ahead?.then(
      ({ buffer }) => this.#give(buffer),
      (error) => this.#options.failure(error),
    );
    this.#ahead = undefined;
  }

  /** What stays valid, without a copy. What comes before the body goes out by itself then. */
  #inMemory(): Uint8Array | undefined {
    const { pieces, end } = this.#options;
    const kept = pieces?.at(this.#position, end);
    const bytes = kept ?? this.#pieceNow();
    if (bytes === undefined) return undefined;
    const lead = this.#lead;
    this.#lead = undefined;
    if (lead !== undefined) return lead;
    this.#took(bytes.length, kept !== undefined);
    if (this.#position >= end) this.#finish();
    return bytes;
  }

  /** Has the piece at the position kept in memory, where that takes no waiting. */
  #pieceNow(): Uint8Array | undefined {
    const { pieces, file, end } = this.#options;
    const piece = pieces?.wanted(this.#position);
    if (piece === undefined || !file.isNear(piece)) return undefined;
    const place = pieces?.place(piece);
    if (place === undefined) return undefined;
    const { start, bytes } = place;
    if (!this.#readNow(bytes, bytes.length, start)) {
      place.drop();
      return undefined;
    }
    place.keep();
    return bytes.subarray(this.#position - start, end - start);
  }

  #pooledNow(): Uint8Array | undefined {
    const { end, pool } = this.#options;
    const buffer = pool.take();
    const lead = this.#takeLead(buffer);
    const length = Math.min(buffer.length - lead, end - this.#position);
    if (!this.#readNow(lead === 0 ? buffer : buffer.subarray(lead), length, this.#position)) {
      this.#lead = lead === 0 ? undefined : this.#options.lead;
      pool.give(buffer);
      return undefined;
    }
    this.#took(length, false);
    this.#lent = buffer;
    if (this.#position >= end) this.#finish();
    return buffer.subarray(0, lead + length);
  }

  /** Whether all of it was read. What is short or fails is asked for again, and that says why. */
  #readNow(buffer: Buffer, length: number, position: number): boolean {
    try {
      return this.#options.file.readNow(buffer, length, position) === length;
    } catch (error) {
      this.#options.failure(error);
      return false;
    }
  }

  #readAhead(): void {
    const { pieces, end, pool } = this.#options;
    if (pieces?.at(this.#position, end) !== undefined) return;
    this.#ahead = this.#readPiece();
    if (this.#ahead === undefined) {
      const buffer = pool.tryTake();
      if (!buffer) return;
      this.#ahead = this.#readInto(buffer);
    }
    // The consumer sees the failure at its next call; until then it is not unhandled.
    this.#ahead.catch((error) => this.#options.failure(error));
  }

  /** Reads the piece at the position, where that is to be kept in memory. */
  #readPiece(): Promise<Chunk> | undefined {
    const { pieces } = this.#options;
    const piece = this.#lead === undefined ? pieces?.wanted(this.#position) : undefined;
    const place = piece && pieces?.place(piece);
    return place && this.#readPlace(place);
  }

  async #readPlace({ start, bytes, keep, drop }: PiecePlace): Promise<Chunk> {
    const from = this.#position - start;
    const to = Math.min(bytes.length, this.#options.end - start);
    this.#took(to - from, false);
    let read = false;
    try {
      await this.#readAll(bytes, bytes.length, start);
      read = true;
    } finally {
      if (read) keep();
      else drop();
    }
    return { bytes: bytes.subarray(from, to) };
  }

  /** One read, of the rest or of a buffer's length; takes the buffer back when it fails. */
  async #readInto(buffer: Buffer): Promise<Chunk> {
    const position = this.#position;
    const lead = this.#takeLead(buffer);
    const length = Math.min(buffer.length - lead, this.#options.end - position);
    this.#took(length, false);
    try {
      await this.#readAll(lead === 0 ? buffer : buffer.subarray(lead), length, position);
    } catch (error) {
      this.#give(buffer);
      throw error;
    }
    return { bytes: buffer.subarray(0, lead + length), buffer };
  }

  /** By the file threads; nothing more is read when it fails. */
  async #readAll(target: Buffer, length: number, position: number): Promise<void> {
    this.#reading++;
    try {
      let done = 0;
      while (done < length) {
        const part = done === 0 ? target : target.subarray(done);
        const count = await this.#options.file.read(part, length - done, position + done);
        if (count === 0) throw bodyMissing('a stored body is shorter than its record says');
        done += count;
      }
    } catch (error) {
      this.#closed = true;
      throw this.#options.failure(error);
    } finally {
      this.#reading--;
      this.#releaseFile();
    }
  }

  #took(length: number, inMemory: boolean): void {
    this.#options.pieces?.noteRead(this.#position, length, inMemory);
    this.#position += length;
  }

  /** Puts what comes before the body into the buffer, once; how many bytes that are. */
  #takeLead(buffer: Buffer): number {
    const lead = this.#lead;
    if (lead === undefined) return 0;
    this.#lead = undefined;
    buffer.set(lead);
    return lead.length;
  }

  #giveBack(): void {
    this.#give(this.#lent);
    this.#lent = undefined;
  }

  #give(buffer: Buffer | undefined): void {
    if (buffer !== undefined) this.#options.pool.give(buffer);
  }

  /** Nothing more will be read. */
  #finish(): void {
    this.#closed = true;
    this.#releaseFile();
  }

  /** Releases the file once, and not while a read is on its way. */
  #releaseFile(): void {
    if (!this.#closed || this.#reading > 0 || this.#released) return;
    this.#released = true;
    this.#options.file.release();
  }
}
