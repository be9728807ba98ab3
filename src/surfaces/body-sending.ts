import type { Socket } from 'node:net';
import type { BodyReader } from '../core/body.ts';

/** So many chunks in a row, and others have their turn: the system may take several at once. */
const chunksPerTurn = 4;

export interface BodySendingOptions {
  readonly socket: Socket;
  readonly head: Uint8Array;
  /** It is closed at the end. */
  readonly reader: BodyReader;
  /** What the reader gives: bytes, at least one. */
  readonly length: number;
  /** Hears once that it is over: body bytes that were handed to the socket, and what went wrong. */
  readonly ended: (bytesOut: number, failure: unknown) => void;
}

/**
 * Sends a head and what a reader gives, at the client's pace: one chunk is on its way at a time. What
 * cannot be completed ends with the connection, which the caller destroys.
 */
export class BodySending {
  readonly #options: BodySendingOptions;
  #bytesOut = 0;
  #chunks = 0;
  #over = false;

  /** Begins with these first bytes, which the reader gave. */
  constructor(options: BodySendingOptions, first: Uint8Array) {
    this.#options = options;
    const { socket, head } = options;
    socket.cork();
    socket.write(head);
    this.#write(first);
    socket.uncork();
  }

  /** Chunks that were sent so far. */
  get chunks(): number {
    return this.#chunks;
  }

  /** Whether the last one is on its way. */
  get last(): boolean {
    return this.#bytesOut >= this.#options.length;
  }

  /** The connection is closed, or is to be: nothing more is sent. */
  cut(failure: unknown): void {
    this.#end(failure);
  }

  readonly #write = (chunk: Uint8Array): void => {
    this.#bytesOut += chunk.length;
    this.#chunks += 1;
    this.#options.socket.write(chunk, this.#written);
  };

  readonly #written = (error?: Error | null): void => {
    if (this.#over) return;
    if (error) this.#end(error);
    else if (this.#bytesOut >= this.#options.length) this.#end(undefined);
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
    const chunk = reader.nextNow?.();
    if (chunk !== undefined) this.#write(chunk);
    else reader.next().then(this.#read, this.#failed);
  };

  readonly #read = (chunk: Uint8Array | undefined): void => {
    if (this.#over) return;
    if (chunk === undefined) this.#end(new Error('the body ended too soon'));
    else this.#write(chunk);
  };

  readonly #failed = (error: unknown): void => this.#end(error);

  #end(failure: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const { reader, ended } = this.#options;
    reader.close();
    ended(this.#bytesOut, failure);
  }
}
