/** Bytes that wait at the most. */
const most = 64 * 1024;
/** Milliseconds that a line waits at the most. */
const longest = 4;
/** UTF-8 has at most so many bytes for each unit of a string. */
const bytesPerUnit = 3;

/** Where lines of a log go, each with its end. */
export interface Lines {
  /** Writes it at once. */
  write(line: string): void;
  /** Writes it within this turn of the event loop. */
  later(line: string): void;
  /** Writes a line of three parts within four milliseconds. */
  soon(start: string, middle: string, end: string): void;
  /** Writes what waits. */
  flush(): void;
}

/** Of a stream, whether it still has something to write, in bytes; undefined: it does not say. */
export interface LineStream extends Pick<NodeJS.WritableStream, 'write'> {
  readonly writableLength?: number;
}

/**
 * Lines on their way to a stream. Those that may wait are written together, at the end of the turn of the
 * event loop or every few milliseconds: where each turn has one request, a write of its own would cost as
 * much as a hit's answer. Any other line takes them along, so that the order stays. They wait as bytes in
 * one buffer that is used again and again: strings would be most of a hit's garbage.
 */
export class LineBatch implements Lines {
  readonly #stream: LineStream;
  #buffer: Buffer | undefined;
  #length = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(stream: LineStream) {
    this.#stream = stream;
  }

  write(line: string): void {
    this.#add(line);
    this.flush();
  }

  later(line: string): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.flush();
    });
    this.#add(line);
  }

  soon(start: string, middle: string, end: string): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, longest);
    this.#add(start);
    this.#add(middle);
    this.#add(end);
  }

  flush(): void {
    if (this.#buffer === undefined || this.#length === 0) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    if (this.#stream.writableLength !== 0) {
      // It waits for its reader and keeps what it gets: no more than there is.
      this.#stream.write(Buffer.from(bytes));
      return;
    }
    this.#stream.write(bytes);
    // What it has not written at once is its own now.
    if (this.#stream.writableLength !== 0) this.#buffer = undefined;
  }

  #add(text: string): void {
    const bytes = text.length * bytesPerUnit;
    if (this.#length + bytes > most) this.flush();
    if (bytes > most) {
      this.#stream.write(text);
      return;
    }
    this.#buffer ??= Buffer.allocUnsafeSlow(most);
    this.#length += this.#buffer.write(text, this.#length, 'utf8');
  }
}
