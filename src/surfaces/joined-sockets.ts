import { Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** How a tunnel came to its end. */
export type TunnelEnd =
  /** Both sides had said all they had to say. */
  | 'whole'
  | 'client-broke'
  | 'target-broke'
  | 'idle'
  /** By us. */
  | 'cut';

export interface JoinOptions {
  /** Milliseconds without a byte either way. */
  readonly idleMs: number;
  /** Bytes from the client, and to it. */
  readonly sent: (bytes: number) => void;
  readonly received: (bytes: number) => void;
}

/**
 * Two connections that are one: what comes from either goes to the other at that one's pace, and so
 * does its end, so that each direction ends for itself. What breaks resets the other side: a cut must
 * not look like an end.
 */
export class JoinedSockets {
  /** Resolves when both are closed. */
  readonly ended: Promise<TunnelEnd>;
  readonly #client: Duplex;
  readonly #target: Duplex;
  #idleMs: number;
  #idle: NodeJS.Timeout;
  #end: TunnelEnd = 'whole';

  constructor(client: Duplex, target: Duplex, { idleMs, sent, received }: JoinOptions) {
    this.#client = client;
    this.#target = target;
    this.#idleMs = idleMs;
    this.#idle = this.#startIdle();
    this.#forward(client, target, 'client-broke', sent);
    this.#forward(target, client, 'target-broke', received);
    this.ended = Promise.all([closed(client), closed(target)]).then(() => {
      clearTimeout(this.#idle);
      return this.#end;
    });
  }

  /** From now on this long without a byte is the end, if it is less than before. */
  hurry(idleMs: number): void {
    this.#idleMs = Math.min(this.#idleMs, idleMs);
    clearTimeout(this.#idle);
    this.#idle = this.#startIdle();
  }

  /** Ends it at once. */
  cut(end: TunnelEnd = 'cut'): void {
    if (this.#end === 'whole') this.#end = end;
    reset(this.#client);
    reset(this.#target);
  }

  #startIdle(): NodeJS.Timeout {
    return setTimeout(() => this.cut('idle'), this.#idleMs);
  }

  #forward(from: Duplex, to: Duplex, broke: TunnelEnd, count: (bytes: number) => void): void {
    from.on('data', (chunk: Buffer) => {
      count(chunk.length);
      this.#idle.refresh();
    });
    // Bytes that leave are a sign of life, too, when a slow side takes long for what it was given.
    from.on('drain', () => this.#idle.refresh());
    from.once('close', () => {
      if (!from.readableEnded || !from.writableFinished) this.cut(broke);
    });
    from.pipe(to);
  }
}

/** Ends a connection so that the other side cannot take it for an orderly end. */
export function reset(socket: Writable): void {
  if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy();
  else socket.destroy();
}

/** Resolves when it is closed. */
export function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}
