/** Characters that wait at the most. */
const most = 64 * 1024;
/** Milliseconds that a line waits at the most. */
const longest = 4;

/** Where lines of a log go, each with its end. */
export interface Lines {
  /** Writes it at once. */
  write(line: string): void;
  /** Writes it within this turn of the event loop. */
  later(line: string): void;
  /** Writes it within four milliseconds. */
  soon(line: string): void;
  /** Writes what waits. */
  flush(): void;
}

/**
 * Lines on their way to a stream. Those that may wait are written together, at the end of the turn of the
 * event loop or every few milliseconds: where each turn has one request, a write of its own would cost as
 * much as a hit's answer. Any other line takes them along, so that the order stays.
 */
export class LineBatch implements Lines {
  readonly #stream: Pick<NodeJS.WritableStream, 'write'>;
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(stream: Pick<NodeJS.WritableStream, 'write'>) {
    this.#stream = stream;
  }

  write(line: string): void {
    const text = this.#waiting + line;
    this.#waiting = '';
    this.#stream.write(text);
  }

  later(line: string): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.flush();
    });
    this.#add(line);
  }

  soon(line: string): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, longest);
    this.#add(line);
  }

  flush(): void {
    if (this.#waiting !== '') this.write('');
  }

  #add(line: string): void {
    this.#waiting += line;
    if (this.#waiting.length >= most) this.flush();
  }
}
