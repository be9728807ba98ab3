/** Takes a body in chunks (RFC 9112 section 7.1) apart; without extensions, trailers are skipped. */
export class ChunkedBody {
  #line = '';
  #left = 0;
  #state: 'size' | 'data' | 'data-end' | 'trailer' = 'size';
  #over = false;

  get over(): boolean {
    return this.#over;
  }

  /** Takes from position `at` on; gives where it stopped, which is the end of the chunk or the body. */
  push(input: Buffer, at: number, body: (bytes: Buffer) => void): number {
    let position = at;
    while (position < input.length && !this.#over) {
      position =
        this.#state === 'data'
          ? this.#takeData(input, position, body)
          : this.#takeLine(input, position);
    }
    return position;
  }

  #takeData(input: Buffer, at: number, body: (bytes: Buffer) => void): number {
    const end = Math.min(input.length, at + this.#left);
    this.#left -= end - at;
    body(input.subarray(at, end));
    if (this.#left === 0) this.#state = 'data-end';
    return end;
  }

  #takeLine(input: Buffer, at: number): number {
    const newline = input.indexOf(0x0a, at);
    const end = newline === -1 ? input.length : newline + 1;
    this.#line += input.toString('latin1', at, end);
    if (newline !== -1) {
      this.#endLine(this.#line.trimEnd());
      this.#line = '';
    }
    return end;
  }

  #endLine(line: string): void {
    if (this.#state === 'data-end') {
      if (line !== '') throw new Error('a chunk is longer than it says');
      this.#state = 'size';
    } else if (this.#state === 'trailer') {
      this.#over = line === '';
    } else {
      if (!/^[\da-f]{1,12}$/i.test(line)) throw new Error(`not the size of a chunk: ${line}`);
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
    }
  }
}
