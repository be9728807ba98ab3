import type { Socket } from 'node:net';
import type { GatewayError } from '../core/errors.ts';
import type { Connect } from './transport-connect.ts';
import { Http2Pool } from './transport-http2-pool.ts';
import { ConnectionPool, type PoolOptions } from './transport-pool.ts';

export interface OriginOptions extends PoolOptions {
  /** Offers HTTP/2 as well; without it HTTP/1.1 only is spoken. */
  readonly connectHttp2?: Connect | undefined;
}

/** All connections to one origin: HTTP/1.1, and HTTP/2 where it is to be offered. */
export class OriginConnections {
  readonly http1: ConnectionPool;
  readonly http2: Http2Pool | undefined;
  /** Was opened for HTTP/2, and the upstream chose HTTP/1.1. */
  #spare: Socket | undefined;

  constructor(origin: string, { connectHttp2, ...options }: OriginOptions, onEmpty: () => void) {
    const told = (): void => {
      if (this.http1.isEmpty && (this.http2?.isEmpty ?? true)) onEmpty();
    };
    this.http1 = new ConnectionPool(
      origin,
      { ...options, connect: this.#withSpare(options.connect) },
      told,
    );
    if (connectHttp2 === undefined) return;
    this.http2 = new Http2Pool(origin, {
      connect: connectHttp2,
      maxStreams: options.maxConnections,
      onHttp1: (socket) => this.#offer(socket),
      onEmpty: told,
    });
  }

  async destroy(error: GatewayError): Promise<void> {
    this.#spare?.destroy();
    await Promise.all([this.http1.destroy(error), this.http2?.destroy(error)]);
  }

  /** Whoever waited for it takes it at once; if all of them have gone, nobody watches over it. */
  #offer(socket: Socket): void {
    this.#spare = socket;
    setImmediate(() => {
      if (this.#spare !== socket) return;
      this.#spare = undefined;
      socket.destroy();
    });
  }

  #withSpare(connect: Connect): Connect {
    return (callback, timeoutMs) => {
      const spare = this.#spare;
      if (spare === undefined || spare.destroyed) return connect(callback, timeoutMs);
      this.#spare = undefined;
      // As with any other connection: not before this has returned.
      queueMicrotask(() => callback(undefined, spare));
      return spare;
    };
  }
}
