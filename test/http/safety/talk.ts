import { connect, type Socket } from 'node:net';
import { until } from '../../support/until.ts';

/** A connection to one gateway that asks and waits for whole answers. Latin1 throughout. */
export class Talk {
  readonly #socket: Socket;
  readonly #methods: string[] = [];
  /** All that came. */
  heard = '';

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.heard += chunk;
    });
    this.#socket.on('error', () => this.#socket.destroy());
  }

  /** Sends the pieces one by one; resolves when all requests are answered, or the other side closed. */
  async ask(pieces: readonly string[], methods: readonly string[]): Promise<void> {
    this.#methods.push(...methods);
    for (const piece of pieces) {
      await new Promise<void>((resolve) => {
        this.#socket.write(piece, 'latin1', () => setImmediate(resolve));
      });
    }
    const answered = () =>
      this.#socket.closed || wholeAnswers(this.heard, this.#methods) >= this.#methods.length;
    await until(answered, `answers to ${JSON.stringify(pieces)} in ${JSON.stringify(this.heard)}`);
  }

  get open(): boolean {
    return !this.#socket.closed;
  }

  close(): void {
    this.#socket.destroy();
  }

  async end(): Promise<void> {
    this.#socket.end();
    await until(() => this.#socket.closed, 'the connection to close');
  }
}

/** How many final answers are there whole; the methods tell which of them have no body. */
function wholeAnswers(text: string, methods: readonly string[]): number {
  let count = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\r\n\r\n', start);
    if (end === -1) break;
    const head = text.slice(start, end);
    const status = Number(head.slice(9, 12));
    start = end + 4;
    if (status < 200) continue;
    const bodiless = methods[count] === 'HEAD' || status === 204 || status === 304;
    const length = Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? 0);
    if (!bodiless) start += length;
    if (!bodiless && /^transfer-encoding: *chunked$/im.test(head)) {
      const last = text.indexOf('0\r\n\r\n', start);
      if (last === -1) break;
      start = last + 5;
    }
    if (start > text.length) break;
    count += 1;
  }
  return count;
}
