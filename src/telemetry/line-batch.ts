/** Characters that wait at the most. */
const most = 64 * 1024;

/** Where lines of a log go, each with its end. */
export interface Lines {
  /** Writes it at once. */
  write(line: string): void;
  /** Writes it within this turn of the event loop. */
  later(line: string): void;
  /** Writes what waits. */
  flush(): void;
}

/**
 * Lines on their way to a stream. Those that may wait are written together at the end of the turn of
 * the event loop; any other one takes them along, so that the order stays.
 */
export class LineBatch implements Lines {
  readonly #stream: Pick<NodeJS.WritableStream, 'write'>;
  #waiting = '';

  constructor(stream: Pick<NodeJS.WritableStream, 'write'>) {
    this.#stream = stream;
  }

  write(line: string): void {
    const text = this.#waiting + line;
    this.#waiting = '';
    this.#stream.write(text);
  }

  later(line: string): void {
    if (this.#waiting === '') setImmediate(() => this.flush());
    this.#waiting += line;
    if (this.#waiting.length >= most) this.flush();
  }

  flush(): void {
    if (this.#waiting !== '') this.write('');
  }
}
