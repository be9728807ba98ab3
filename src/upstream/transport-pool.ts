import type { Socket } from 'node:net';
import { Client } from 'undici';
import { GatewayError } from '../core/errors.ts';
import type { ReadBuffer } from './read-buffer.ts';
import type { Connect } from './transport-connect.ts';

export interface PoolOptions {
  readonly connect: Connect;
  /** Connections to this origin at a time; more requests wait. */
  readonly maxConnections: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** How long an idle connection is kept, unless the upstream's `Keep-Alive` says less. */
export const keepAliveTimeoutMs = 30_000;
/** The most bytes of a response's head. */
export const maxHeaderSize = 64 * 1024;

/** One place in a pool: carries one request at a time, over a connection that it may renew. */
export class Slot {
  readonly client: Client;
  /** The connection that is there, or was there last. */
  socket: Socket | undefined;
  /** Where that reads to, where it is ours. */
  reading: ReadBuffer | undefined;
  /** Requests that were sent on this connection. */
  requests = 0;
  /** For the next connection, in place of the usual one. */
  connectTimeoutMs: number | undefined;
  #opening: Socket | undefined;

  constructor(origin: string, options: PoolOptions) {
    this.client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize,
      headersTimeout: options.firstByteTimeoutMs,
      bodyTimeout: options.idleTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connect: (_options, callback) => {
        this.#opening = options.connect((error, socket, reading) => {
          this.#opening = undefined;
          if (socket === undefined) {
            callback(error ?? new Error('no connection and no error'), null);
            return;
          }
          this.socket = socket;
          this.reading = reading;
          this.requests = 0;
          callback(null, socket);
        }, this.connectTimeoutMs);
      },
    });
  }

  /** Ends its connection, also one that is still being opened. */
  async destroy(error: GatewayError): Promise<void> {
    await this.client.destroy(error);
    this.#opening?.destroy(error);
  }
}

/** Whoever wants a place. */
export interface SlotUser {
  /** Has it now, and hands it to `release` in the end. */
  granted(slot: Slot): void;
}

/** The connections to one origin: idle ones first, most recently used first. */
export class ConnectionPool {
  readonly #origin: string;
  readonly #options: PoolOptions;
  readonly #onEmpty: () => void;
  readonly #slots = new Set<Slot>();
  readonly #idle: Slot[] = [];
  readonly #waiting = new Set<SlotUser>();

  constructor(origin: string, options: PoolOptions, onEmpty: () => void) {
    this.#origin = origin;
    this.#options = options;
    this.#onEmpty = onEmpty;
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  /** Grants a slot, at once where one is free. */
  acquire(user: SlotUser): void {
    const slot = this.#idle.pop() ?? this.#add();
    if (slot === undefined) this.#waiting.add(user);
    else user.granted(slot);
  }

  /** It waits no longer; nothing where it has its slot. */
  leave(user: SlotUser): void {
    this.#waiting.delete(user);
  }

  /** Takes a slot back; with an error it is not used again and its connection ends. */
  release(slot: Slot, error?: GatewayError): void {
    if (!this.#slots.has(slot)) return;
    if (error !== undefined) this.#drop(slot, error);
    const [next] = this.#waiting;
    if (next === undefined) {
      if (error === undefined) this.#idle.push(slot);
      else if (this.#slots.size === 0) this.#onEmpty();
      return;
    }
    const free = error === undefined ? slot : this.#add();
    if (free === undefined) return;
    this.#waiting.delete(next);
    next.granted(free);
  }

  /** Ends every connection; whoever uses one hears the error. */
  async destroy(error: GatewayError): Promise<void> {
    const slots = [...this.#slots];
    this.#slots.clear();
    this.#idle.length = 0;
    this.#waiting.clear();
    const open = slots.flatMap(({ socket }) => (socket && !socket.closed ? [socket] : []));
    const closed = open.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.once('close', () => resolve());
        }),
    );
    await Promise.all([...slots.map((slot) => slot.destroy(error)), ...closed]);
  }

  #add(): Slot | undefined {
    if (this.#slots.size >= this.#options.maxConnections) return undefined;
    const slot = new Slot(this.#origin, this.#options);
    this.#slots.add(slot);
    // An idle connection that the upstream or its age ended is of no more use.
    slot.client.on('disconnect', () => {
      const index = this.#idle.indexOf(slot);
      if (index === -1) return;
      this.#idle.splice(index, 1);
      this.#drop(slot, idleClosed());
      if (this.#slots.size === 0) this.#onEmpty();
    });
    return slot;
  }

  #drop(slot: Slot, error: GatewayError): void {
    this.#slots.delete(slot);
    void slot.destroy(error);
  }
}

function idleClosed(): GatewayError {
  return new GatewayError('connection_terminated', 'the idle connection was closed', {
    origin: 'upstream',
    retryable: true,
  });
}
