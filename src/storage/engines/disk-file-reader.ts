import type { BodyReader } from '../../core/body.ts';
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
  /** Makes what the medium throws the error that callers see; the file is not to be read again. */
  readonly failure: (error: unknown) => Error;
}

interface Piece {
  readonly buffer: Buffer;
  readonly length: number;
}

/**
 * Reads a part of a file into pooled buffers: at once where the system has it in memory, otherwise by
 * the file threads, the next one while the consumer has the last.
 */
export class FileReader implements BodyReader {
  readonly #options: FileReaderOptions;
  /** Where the next read begins. */
  #position: number;
  /** What the consumer has. */
  #lent: Buffer | undefined;
  #ahead: Promise<Piece> | undefined;
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
    const reading = this.#ahead ?? this.#readInto(this.#options.pool.take());
    this.#ahead = undefined;
    const { buffer, length } = await reading;
    if (this.#closed) {
      this.#options.pool.give(buffer);
      return undefined;
    }
    this.#lent = buffer;
    if (this.#position >= this.#options.end) this.#finish();
    else this.#readAhead();
    return buffer.subarray(0, length);
  }

  nextNow(): Uint8Array | undefined {
    this.#giveBack();
    if (this.#closed || this.#ahead !== undefined) return undefined;
    const { file, end, pool } = this.#options;
    const buffer = pool.take();
    const lead = this.#takeLead(buffer);
    const length = Math.min(buffer.length - lead, end - this.#position);
    if (!this.#readNow(file, lead === 0 ? buffer : buffer.subarray(lead), length)) {
      this.#lead = lead === 0 ? undefined : this.#options.lead;
      pool.give(buffer);
      return undefined;
    }
    this.#position += length;
    this.#lent = buffer;
    if (this.#position >= end) this.#finish();
    return buffer.subarray(0, lead + length);
  }

  close(): void {
    this.#giveBack();
    this.#finish();
    // A read that nobody will wait for: it ends, then its buffer and the file can go.
    this.#ahead?.then(
      ({ buffer }) => this.#options.pool.give(buffer),
      (error) => this.#options.failure(error),
    );
    this.#ahead = undefined;
  }

  /** Whether all of it was read. What is short or fails is asked for again, and that says why. */
  #readNow(file: BodyFile, buffer: Buffer, length: number): boolean {
    try {
      return file.readNow(buffer, length, this.#position) === length;
    } catch (error) {
      this.#options.failure(error);
      return false;
    }
  }

  #readAhead(): void {
    const buffer = this.#options.pool.tryTake();
    if (!buffer) return;
    this.#ahead = this.#readInto(buffer);
    // The consumer sees the failure at its next call; until then it is not unhandled.
    this.#ahead.catch((error) => this.#options.failure(error));
  }

  /** One read, of the rest or of a buffer's length; takes the buffer back when it fails. */
  async #readInto(buffer: Buffer): Promise<Piece> {
    const position = this.#position;
    const lead = this.#takeLead(buffer);
    const length = Math.min(buffer.length - lead, this.#options.end - position);
    this.#position += length;
    this.#reading++;
    try {
      let done = 0;
      while (done < length) {
        const part = lead + done === 0 ? buffer : buffer.subarray(lead + done);
        const count = await this.#options.file.read(part, length - done, position + done);
        if (count === 0) throw bodyMissing('a stored body is shorter than its record says');
        done += count;
      }
      return { buffer, length: lead + length };
    } catch (error) {
      this.#options.pool.give(buffer);
      this.#closed = true;
      throw this.#options.failure(error);
    } finally {
      this.#reading--;
      this.#releaseFile();
    }
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
    if (this.#lent) this.#options.pool.give(this.#lent);
    this.#lent = undefined;
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
