import type { Socket } from 'node:net';
import type { BodyReader } from '../core/body.ts';

/** So many chunks in a row, and others have their turn: the system may take several at once. */
const chunksPerTurn = 4;
const nothing = new Uint8Array(0);

export interface BodySendingOptions {
  readonly socket: Socket;
  /** What follows the first chunks; it is closed at the end. Undefined where these are all. */
  readonly reader: BodyReader | undefined;
  /** Bytes of the message: of the first chunks, and all that the reader gives. */
  readonly length: number;
  /** Hears once that it is over, also while it is made: bytes that were handed to the socket, and what went wrong. */
  readonly ended: (sent: number, failure: unknown) => void;
}

/**
 * Sends a message of which the body comes from a reader, at the client's pace: one chunk is on its way
 * at a time. What cannot be completed ends with the connection, which the caller destroys.
 */
export class BodySending {
  readonly #options: BodySendingOptions;
  #sent = 0;
  #chunks = 0;
  #over = false;

  /** Begins with these chunks, of which the reader gave the last. */
  constructor(options: BodySendingOptions, first: readonly Uint8Array[]) {
    this.#options = options;
    const { socket } = options;
    if (first.length > 1) socket.cork();
    for (const chunk of first) this.#hand(chunk);
    if (first.length > 1) socket.uncork();
    this.#proceed();
  }

  /** Whether nothing more is sent. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether the last chunk is on its way. */
  get last(): boolean {
    return this.#sent >= this.#options.length;
  }

  /** The connection is closed, or is to be: nothing more is sent. */
  cut(failure: unknown): void {
    this.#end(failure);
  }

  #hand(chunk: Uint8Array): void {
    this.#sent += chunk.length;
    this.#options.socket.write(chunk);
  }

  /** Goes on at once where the system took all, otherwise when the client has taken enough. */
  #proceed(): void {
    const { socket } = this.#options;
    if (socket.writableLength > 0) socket.write(nothing, this.#written);
    else this.#written(socket.errored);
  }

  readonly #written = (error?: Error | null): void => {
    if (this.#over) return;
    this.#chunks += 1;
    if (error) this.#end(error);
    else if (this.last) this.#end(undefined);
    else if (this.#chunks % chunksPerTurn === 0) setImmediate(this.#next);
    else this.#next();
  };

  readonly #next = (): void => {
    if (this.#over) return;
    const { socket, reader } = this.#options;
    // Node has ended the connection of a client that says no more.
    if (!socket.writable) {
      this.#end(new Error('the connection takes no more'));
      return;
    }
    const chunk = reader?.nextNow?.();
    if (chunk !== undefined) this.#write(chunk);
    else reader?.next().then(this.#write, this.#failed);
  };

  readonly #write = (chunk: Uint8Array | undefined): void => {
    if (this.#over) return;
    if (chunk === undefined) {
      this.#end(new Error('the body ended too soon'));
      return;
    }
    this.#hand(chunk);
    this.#proceed();
  };

  readonly #failed = (error: unknown): void => this.#end(error);

  #end(failure: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const { reader, ended } = this.#options;
    reader?.close();
    ended(this.#sent, failure);
  }
}
