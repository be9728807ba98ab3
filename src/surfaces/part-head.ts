import type { ByteRange } from '../core/body.ts';
import { lines, statusLine } from './answer-text.ts';

/** Room for the numbers of the range: of at most sixteen digits each. */
const rangeBytes = 64;
const dash = 0x2d;
const zero = 0x30;

/**
 * The heads of ranges of one answer: they differ in the fields of the range alone. Each is written over
 * the one before, unless that is still on its way to a client (`lend`).
 */
export class PartHead {
  /** What comes before the first number, between the range and its length, and behind all numbers. */
  readonly #before: Buffer;
  readonly #between: Buffer;
  readonly #behind: Buffer;
  #bytes: Buffer | undefined;
  /** What of it the last head was. */
  #head: Buffer | undefined;

  /**
   * From the fields of a 200 of `size` bytes, of which the first `own` are the answer's own and end with
   * `Content-Length`; `ending`: what follows all fields.
   */
  constructor(fields: readonly string[], own: number, ending: string, size: number) {
    const before = `${statusLine(206)}${lines(fields.slice(0, own - 2))}Content-Range: bytes `;
    this.#before = Buffer.from(before, 'latin1');
    this.#between = Buffer.from(`/${size}\r\nContent-Length: `);
    this.#behind = Buffer.from(`\r\n${lines(fields.slice(own))}${ending}`, 'latin1');
  }

  /** The part's head; it stays so until the next one is asked for. RFC 9110 section 14.4. */
  of({ first, last }: ByteRange): Buffer {
    const bytes = this.#bytes ?? this.#begin();
    let at = putNumber(bytes, this.#before.length, first);
    bytes[at] = dash;
    at = putNumber(bytes, at + 1, last);
    bytes.set(this.#between, at);
    at = putNumber(bytes, at + this.#between.length, last - first + 1);
    const end = at + this.#behind.length;
    // Most numbers have as many digits as those before them: what follows is in its place already.
    if (this.#head?.length === end) return this.#head;
    bytes.set(this.#behind, at);
    this.#head = bytes.subarray(0, end);
    return this.#head;
  }

  /** The last one was written, and is still on its way: it stays as it is. */
  lend(): void {
    this.#bytes = undefined;
    this.#head = undefined;
  }

  #begin(): Buffer {
    const [before, behind] = [this.#before, this.#behind];
    const bytes = Buffer.allocUnsafe(
      before.length + this.#between.length + rangeBytes + behind.length,
    );
    bytes.set(before);
    this.#bytes = bytes;
    return bytes;
  }
}

/** Writes a whole number in decimal; where it ends. */
function putNumber(bytes: Buffer, at: number, number: number): number {
  let end = at + 1;
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) end += 1;
  let rest = number;
  for (let i = end - 1; i >= at; i -= 1) {
    const tens = Math.floor(rest / 10);
    bytes[i] = zero + (rest - 10 * tens);
    rest = tens;
  }
  return end;
}
