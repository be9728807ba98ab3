import type { ByteRange } from '../core/body.ts';
import { contentRange } from '../policy/byte-range.ts';
import { lines, statusLine } from './answer-text.ts';

/** Room for the fields of the range: three numbers and a length of at most sixteen digits each. */
const rangeBytes = 128;

/** The heads of ranges of one answer: they differ in the fields of the range alone. */
export class PartHead {
  readonly #size: number;
  readonly #before: Buffer;
  readonly #behind: Buffer;

  /**
   * From the fields of a 200 of `size` bytes, of which the first `own` are the answer's own and end with
   * `Content-Length`; `ending`: what follows all fields.
   */
  constructor(fields: readonly string[], own: number, ending: string, size: number) {
    this.#size = size;
    this.#before = Buffer.from(statusLine(206) + lines(fields.slice(0, own - 2)), 'latin1');
    this.#behind = Buffer.from(lines(fields.slice(own)) + ending, 'latin1');
  }

  of(part: ByteRange): Buffer {
    const [before, behind] = [this.#before, this.#behind];
    const head = Buffer.allocUnsafe(before.length + rangeBytes + behind.length);
    head.set(before);
    const range = contentRange(part, this.#size);
    const length = part.last - part.first + 1;
    const text = `Content-Range: ${range}\r\nContent-Length: ${length}\r\n`;
    const end = before.length + head.write(text, before.length, 'latin1');
    head.set(behind, end);
    return head.subarray(0, end + behind.length);
  }
}
