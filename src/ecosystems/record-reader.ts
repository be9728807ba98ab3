import type { DigestLister } from '../core/classification.ts';

/**
 * Gives the records of a document one by one as they arrive, without what separates them. One that is
 * longer than the bound is passed over; the carry holds no more than that.
 */
export class RecordReader implements DigestLister {
  readonly #separator: Buffer;
  readonly #maxBytes: number;
  readonly #take: (record: Buffer) => void;
  #carry: Buffer = Buffer.alloc(0);
  /** The record that has begun is too long to be read. */
  #isTooLong = false;

  /** What `take` is given is its own for the call alone. */
  constructor(separator: string, maxBytes: number, take: (record: Buffer) => void) {
    this.#separator = Buffer.from(separator);
    this.#maxBytes = maxBytes;
    this.#take = take;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const all = this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes]);
    let start = 0;
    for (;;) {
      const end = all.indexOf(this.#separator, start);
      if (end === -1) break;
      this.#read(all.subarray(start, end));
      start = end + this.#separator.length;
    }
    this.#keep(all.subarray(start));
  }

  /** The last record need not be followed by anything. */
  end(): void {
    const last = this.#carry;
    this.#carry = Buffer.alloc(0);
    if (last.length > 0) this.#read(last);
  }

  #read(record: Buffer): void {
    if (!this.#isTooLong && record.length <= this.#maxBytes) this.#take(record);
    this.#isTooLong = false;
  }

  #keep(rest: Buffer): void {
    // A separator may have begun.
    if (rest.length >= this.#maxBytes + this.#separator.length) this.#isTooLong = true;
    // Of a record that is passed over only what may be the beginning of a separator counts.
    const kept = this.#isTooLong ? rest.subarray(-this.#separator.length) : rest;
    // The caller's chunk is not ours to keep.
    this.#carry = Buffer.from(kept);
  }
}

/** The text between two marks, the first `before` and the next `after`; undefined: there is none. */
export function textBetween(record: Buffer, before: string, after: string): string | undefined {
  const at = record.indexOf(before, 0, 'latin1');
  if (at === -1) return undefined;
  const start = at + before.length;
  const end = record.indexOf(after, start, 'latin1');
  return record.toString('utf8', start, end === -1 ? record.length : end);
}
