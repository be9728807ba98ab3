import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ResponseEvents, ResponseParser } from './response-parser.ts';

const bufferBytes = 256 * 1024;

/** A keep-alive connection to a server under load, as thin as Node allows. */
export class Connection {
  readonly #socket: Socket;
  readonly #parser: ResponseParser;
  readonly #host: string;
  readonly #prefix: string;
  readonly #failed: (problem: string) => void;
  #closed = false;

  /**
   * `base`: URL that paths are appended to. `failed` is told once when the connection cannot go on:
   * refused, reset, ended by the server in the middle, or not understood.
   */
  constructor(base: string, events: ResponseEvents, failed: (problem: string) => void) {
    const { hostname, port, host, pathname } = new URL(base);
    this.#host = host;
    this.#prefix = pathname === '/' ? '' : pathname;
    this.#failed = failed;
    this.#parser = new ResponseParser(events);
    const buffer = Buffer.allocUnsafeSlow(bufferBytes);
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          this.#take(buffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('end', () => this.#fail('ended by the server'));
  }

  async connected(): Promise<void> {
    if (this.#socket.connecting) await once(this.#socket, 'connect');
  }

  /** `fields`: more field lines, each with its line ending. */
  get(path: string, fields = ''): void {
    this.#socket.write(
      `GET ${this.#prefix}${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${fields}\r\n`,
      'latin1',
    );
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#closed) return;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #fail(problem: string): void {
    if (this.#closed) return;
    this.close();
    this.#failed(
      this.#parser.betweenResponses ? problem : `${problem}, in the middle of a response`,
    );
  }
}
