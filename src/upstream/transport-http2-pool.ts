import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { GatewayError } from '../core/errors.ts';
import type { Connect } from './transport-connect.ts';
import { Http2Connection } from './transport-http2-connection.ts';

export interface Http2PoolOptions {
  /** Offers h2 and HTTP/1.1. */
  readonly connect: Connect;
  /** Streams at a time, on however many connections; more requests wait. */
  readonly maxStreams: number;
  /** Takes a connection whose upstream chose HTTP/1.1. */
  readonly onHttp1: (socket: Socket) => void;
  readonly onEmpty: () => void;
}

/** What a request for a place got. */
export type Grant =
  /** To be handed back to `release`. */
  | { readonly kind: 'stream'; readonly connection: Http2Connection }
  /** The upstream does not speak HTTP/2. */
  | { readonly kind: 'http/1.1' }
  | { readonly kind: 'failed'; readonly error: Error };

interface Waiter {
  readonly callback: (grant: Grant) => void;
  readonly connectTimeoutMs: number | undefined;
}

/** A connection that is being opened; the socket is there once the opening has begun. */
interface Opening {
  socket?: Socket;
}

/**
 * The HTTP/2 connections to one origin: one as a rule, more when it has no room for another stream.
 * The first request finds out whether the upstream speaks HTTP/2, the others wait for what it finds.
 */
export class Http2Pool {
  readonly #origin: string;
  readonly #options: Http2PoolOptions;
  readonly #connections = new Set<Http2Connection>();
  /** No stream of theirs is left to be given, but some are open. */
  readonly #leaving = new Set<Http2Connection>();
  readonly #waiting = new Set<Waiter>();
  #opening: Opening | undefined;
  #speaksHttp1 = false;
  #destroyed = false;

  constructor(origin: string, options: Http2PoolOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  get isEmpty(): boolean {
    const connections = this.#connections.size + this.#leaving.size;
    return connections + this.#waiting.size === 0 && this.#opening === undefined;
  }

  /**
   * Calls back with a place for one stream, at once where there is one. The result stops the waiting
   * and does nothing after the callback.
   */
  acquire(callback: (grant: Grant) => void, connectTimeoutMs: number | undefined): () => void {
    if (this.#speaksHttp1) {
      callback({ kind: 'http/1.1' });
      return () => undefined;
    }
    const waiter = { callback, connectTimeoutMs };
    this.#waiting.add(waiter);
    this.#serve();
    return () => {
      if (!this.#waiting.delete(waiter) || this.#waiting.size > 0) return;
      // Who comes before it is closed opens another one.
      const opening = this.#opening;
      this.#opening = undefined;
      opening?.socket?.destroy(unwanted());
      this.#tellIfEmpty();
    };
  }

  /** A stream is over. */
  release(connection: Http2Connection): void {
    connection.leave();
    if (connection.streams === 0) this.#leaving.delete(connection);
    this.#serve();
    this.#tellIfEmpty();
  }

  /** Ends every connection; who uses one or waits must have been told before. */
  async destroy(error: GatewayError): Promise<void> {
    this.#destroyed = true;
    this.#waiting.clear();
    const all = [...this.#connections, ...this.#leaving];
    this.#connections.clear();
    this.#leaving.clear();
    this.#opening?.socket?.destroy(error);
    this.#opening = undefined;
    await Promise.all(all.map((connection) => connection.destroy()));
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      if (this.#streams() >= this.#options.maxStreams) return;
      const connections = [...this.#connections];
      const connection = connections.find(({ hasRoom }) => hasRoom);
      if (connection === undefined) {
        if (connections.some(({ isSettling }) => isSettling)) return;
        if (this.#opening === undefined) this.#open(waiter.connectTimeoutMs);
        return;
      }
      this.#waiting.delete(waiter);
      connection.enter();
      waiter.callback({ kind: 'stream', connection });
    }
  }

  #open(connectTimeoutMs: number | undefined): void {
    const opening: Opening = {};
    this.#opening = opening;
    opening.socket = this.#options.connect((error, socket) => {
      if (this.#opening !== opening) {
        socket?.destroy();
        return;
      }
      this.#opening = undefined;
      if (socket === undefined) {
        this.#grantAll({ kind: 'failed', error: error ?? unwanted() });
        this.#tellIfEmpty();
      } else if ((socket as TLSSocket).alpnProtocol === 'h2') {
        this.#add(socket);
        this.#serve();
      } else {
        this.#speaksHttp1 = true;
        this.#options.onHttp1(socket);
        this.#grantAll({ kind: 'http/1.1' });
        this.#tellIfEmpty();
      }
    }, connectTimeoutMs);
  }

  #grantAll(grant: Grant): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { callback } of waiting) callback(grant);
  }

  #add(socket: Socket): void {
    const connection = new Http2Connection(this.#origin, socket, {
      onRoom: () => this.#serve(),
      onClosed: (closed) => {
        if (!this.#connections.delete(closed)) return;
        if (closed.streams > 0) this.#leaving.add(closed);
        this.#serve();
        this.#tellIfEmpty();
      },
    });
    this.#connections.add(connection);
  }

  #streams(): number {
    let streams = 0;
    for (const connection of this.#connections) streams += connection.streams;
    for (const connection of this.#leaving) streams += connection.streams;
    return streams;
  }

  #tellIfEmpty(): void {
    if (this.isEmpty && !this.#destroyed) this.#options.onEmpty();
  }
}

function unwanted(): GatewayError {
  return new GatewayError('client_gone', 'nobody waits for the connection any more', {
    origin: 'client',
  });
}
