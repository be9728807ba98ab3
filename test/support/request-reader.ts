import type { Socket } from 'node:net';
import type { RawHeaders } from '../../src/core/raw-headers.ts';

/** A request as it stood on the wire. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** The head with its empty line, latin1. */
  readonly rawHead: string;
  readonly headers: RawHeaders;
  readonly body: Buffer;
  /** Number of the connection, from 1, that brought it. */
  readonly connection: number;
}

/** Reads requests one after the other from a socket; keeps what belongs to the next one. */
export class RequestReader {
  readonly #socket: Socket;
  readonly #connection: number;
  #buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, connection: number) {
    this.#socket = socket;
    this.#connection = connection;
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#wake?.();
    });
    socket.on('close', () => this.#finish());
    socket.on('end', () => this.#finish());
  }

  /** The next request; undefined when the connection ended before a whole one. */
  async next(): Promise<RecordedRequest | undefined> {
    const rawHead = await this.#until((buffer) => {
      const end = buffer.indexOf('\r\n\r\n');
      return end === -1 ? undefined : end + 4;
    });
    if (rawHead === undefined) return undefined;
    const text = rawHead.toString('latin1');
    const [requestLine = '', ...lines] = text.slice(0, -4).split('\r\n');
    const [method = '', target = ''] = requestLine.split(' ');
    const headers = lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const body = await this.#body(text);
    if (body === undefined) return undefined;
    return { method, target, rawHead: text, headers, body, connection: this.#connection };
  }

  async #body(rawHead: string): Promise<Buffer | undefined> {
    const length = /\r\ncontent-length: *(\d+)/i.exec(rawHead)?.[1];
    if (length !== undefined) {
      return this.#until((buffer) =>
        buffer.length >= Number(length) ? Number(length) : undefined,
      );
    }
    if (!/\r\ntransfer-encoding: *chunked/i.test(rawHead)) return Buffer.alloc(0);
    const pieces: Buffer[] = [];
    for (;;) {
      const line = await this.#until((buffer) => {
        const end = buffer.indexOf('\r\n');
        return end === -1 ? undefined : end + 2;
      });
      if (line === undefined) return undefined;
      const size = Number.parseInt(line.toString('latin1'), 16);
      const piece = await this.#until((buffer) =>
        buffer.length >= size + 2 ? size + 2 : undefined,
      );
      if (piece === undefined) return undefined;
      if (size === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, size));
    }
  }

  async #until(measure: (buffer: Buffer) => number | undefined): Promise<Buffer | undefined> {
    for (;;) {
      const size = measure(this.#buffer);
      if (size !== undefined) {
        const taken = this.#buffer.subarray(0, size);
        this.#buffer = this.#buffer.subarray(size);
        return taken;
      }
      if (this.#ended || this.#socket.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #finish(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
