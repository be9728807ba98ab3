import type { ByteRange } from '../core/body.ts';
import { contentRange } from '../policy/byte-range.ts';
import { lines, statusLine } from './answer-text.ts';

/** Room for the fields of the range: three numbers and a length of at most sixteen digits each. */
const rangeBytes = 128;

/**
 * The heads of ranges of one answer: they differ in the fields of the range alone. Each is written over
 * the one before, unless that is still on its way to a client (`lend`).
 */
export class PartHead {
  readonly #size: number;
  readonly #before: Buffer;
  readonly #behind: Buffer;
  #bytes: Buffer | undefined;
  /** What of it the last head was. */
  #head: Buffer | undefined;

  /**
   * From the fields of a 200 of `size` bytes, of which the first `own` are the answer's own and end with
   * `Content-Length`; `ending`: what follows all fields.
   */
  constructor(fields: readonly string[], own: number, ending: string, size: number) {
    this.#size = size;
    this.#before = Buffer.from(statusLine(206) + lines(fields.slice(0, own - 2)), 'latin1');
    this.#behind = Buffer.from(lines(fields.slice(own)) + ending, 'latin1');
  }

  /** The part's head; it stays so until the next one is asked for. */
  of(part: ByteRange): Buffer {
    const before = this.#before.length;
    const bytes = this.#bytes ?? this.#begin();
    const range = contentRange(part, this.#size);
    const length = part.last - part.first + 1;
    const text = `Content-Range: ${range}\r\nContent-Length: ${length}\r\n`;
    bytes.write(text, before, 'latin1');
    const end = before + text.length + this.#behind.length;
    // Most numbers have as many digits as those before them: what follows is in its place already.
    if (this.#head?.length === end) return this.#head;
    bytes.set(this.#behind, end - this.#behind.length);
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
    const bytes = Buffer.allocUnsafe(before.length + rangeBytes + behind.length);
    bytes.set(before);
    this.#bytes = bytes;
    return bytes;
  }
}
