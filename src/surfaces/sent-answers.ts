import type { Socket } from 'node:net';
import type { HitRecord } from './prepared-hit.ts';

interface Sent {
  readonly done: HitRecord;
  readonly at: number;
  readonly ttl: number | undefined;
}

const nothing = Buffer.alloc(0);

/** Records the answers that a socket was given, each when its last byte has left the process. */
export class SentAnswers {
  readonly #socket: Socket;
  readonly #client: string;
  /** Those on their way to the client, first the oldest. */
  readonly #sent: Sent[] = [];

  constructor(socket: Socket, client: string) {
    this.#socket = socket;
    this.#client = client;
  }

  /** The socket was just given such an answer, with that ttl, to a request of that time. */
  note(done: HitRecord, ttl: number | undefined, at: number): void {
    const socket = this.#socket;
    if (socket.writableLength === 0 && this.#sent.length === 0) {
      done.add(this.#client, at, ttl, socket.errored !== null);
      return;
    }
    this.#sent.push({ done, at, ttl });
    // Heard of behind it: a callback of each answer's own would cost a round of the task queue.
    socket.write(nothing, this.#written);
  }

  /** The connection is closed: nothing more leaves. */
  closed(): void {
    while (this.#sent.length > 0) this.#written(new Error('the connection is closed'));
  }

  readonly #written = (error?: Error | null): void => {
    const sent = this.#sent.shift();
    sent?.done.add(this.#client, sent.at, sent.ttl, error !== undefined && error !== null);
  };
}
