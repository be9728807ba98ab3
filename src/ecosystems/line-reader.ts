/**
 * Gives the lines of a document one by one as they arrive, in UTF-8 and without their end. One that
 * is longer than the bound is passed over; the carry holds no more than that.
 */
export class LineReader {
  readonly #maxBytes: number;
  readonly #take: (line: string) => boolean;
  /** The line that has begun; undefined: it is too long to be read. */
  #line: Buffer[] | undefined = [];
  #bytes = 0;
  #over = false;

  /** `take` returns whether it has seen enough. */
  constructor(maxBytes: number, take: (line: string) => boolean) {
    this.#maxBytes = maxBytes;
    this.#take = take;
  }

  /** Whether enough was seen. */
  push(chunk: Uint8Array): boolean {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    while (!this.#over && start < bytes.length) {
      const end = bytes.indexOf(0x0a, start);
      if (end !== -1 && this.#bytes === 0 && end - start <= this.#maxBytes) {
        this.#read(bytes.toString('utf8', start, end));
      } else {
        this.#hold(bytes.subarray(start, end === -1 ? bytes.length : end));
        if (end === -1) break;
        this.end();
      }
      start = end + 1;
    }
    return this.#over;
  }

  /** The last line need not end. */
  end(): void {
    if (this.#over) return;
    const text = this.#line ? Buffer.concat(this.#line).toString('utf8') : '';
    this.#line = [];
    this.#bytes = 0;
    this.#read(text);
  }

  #read(line: string): void {
    if (line !== '') this.#over = this.#take(line);
  }

  #hold(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) this.#line = undefined;
    // The caller's chunk is not ours to keep.
    else this.#line?.push(Buffer.from(bytes));
  }
}
