import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { type Connect, connector, type Lookup } from './transport-connect.ts';
import { Exchange } from './transport-exchange.ts';
import { ConnectionPool } from './transport-pool.ts';
import type { Transport, UpstreamRequest, UpstreamResponse } from './upstream.ts';

/** Times in milliseconds. */
export interface TransportOptions {
  /** Look-up, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** From the request to the end of the response's head. */
  readonly firstByteTimeoutMs: number;
  /** Between two pieces of the body; a paused body does not count. */
  readonly idleTimeoutMs: number;
  /** Which private addresses requests that are not `trusted` may reach all the same. */
  readonly allowAddress: (ip: string, port: number) => boolean;
  /** Connections at a time to one origin; without it as many as there are requests. */
  readonly connectionsPerOrigin?: number;
  /** More certificate authorities to trust, in PEM, besides those of the system. */
  readonly ca?: readonly string[];
  /** Instead of the system's resolver. */
  readonly lookup?: Lookup;
  /** Milliseconds since the epoch, instead of the system's clock. */
  readonly now?: () => number;
  /** Hears of each connection that was opened, and how long that took. */
  readonly onConnect?: (origin: string, milliseconds: number) => void;
}

/**
 * HTTP/1.1 over keep-alive connections, by undici. Trusted and guarded requests share no connection,
 * so that no guarded one rides on a connection that was opened unchecked. Errors: every GatewayError
 * of origin `upstream`; `http_request_error` (gateway) for a request that cannot be written;
 * `client_gone`, or the signal's reason when that is a GatewayError, after an abort; `shutting_down`
 * after `close`, which ends what is in flight.
 */
export function createTransport(options: TransportOptions): Transport {
  return new PooledTransport(options);
}

class PooledTransport implements Transport {
  readonly #options: TransportOptions;
  readonly #secureContext: SecureContext | undefined;
  readonly #now: () => number;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #active = new Set<Exchange>();
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    if (options.ca !== undefined) {
      this.#secureContext = createSecureContext({
        ca: [...getCACertificates('default'), ...options.ca],
      });
    }
  }

  async send(request: UpstreamRequest, signal?: AbortSignal): Promise<UpstreamResponse> {
    if (this.#closed) throw shuttingDown();
    if (signal?.aborted) throw abortError(signal);
    const exchange = new Exchange(request, {
      pool: this.#poolFor(request),
      now: this.#now,
      onOver: (over) => this.#active.delete(over),
    });
    this.#active.add(exchange);
    exchange.start();
    if (signal === undefined) return exchange.head;
    const abort = (): void => exchange.cancel(abortError(signal));
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await exchange.head;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const exchange of this.#active) exchange.cancel(shuttingDown());
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy(shuttingDown())));
  }

  #poolFor({ url, trusted }: UpstreamRequest): ConnectionPool {
    const origin = originOf(url);
    const key = trusted ? origin : `guarded ${origin}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const { connectTimeoutMs, lookup, allowAddress, onConnect, ...limits } = this.#options;
    const connect = connector(origin, trusted, {
      connectTimeoutMs,
      allowAddress,
      ...(lookup && { lookup }),
      ...(this.#secureContext && { secureContext: this.#secureContext }),
    });
    const pool = new ConnectionPool(
      origin,
      {
        connect: onConnect ? timed(connect, (ms) => onConnect(origin, ms)) : connect,
        maxConnections: limits.connectionsPerOrigin ?? Number.POSITIVE_INFINITY,
        firstByteTimeoutMs: limits.firstByteTimeoutMs,
        idleTimeoutMs: limits.idleTimeoutMs,
      },
      () => this.#pools.delete(key),
    );
    this.#pools.set(key, pool);
    return pool;
  }
}

/** Tells how long each connection took that was opened. */
function timed(connect: Connect, opened: (milliseconds: number) => void): Connect {
  return (callback, timeoutMs) => {
    const started = performance.now();
    return connect((error, socket, reading) => {
      if (socket !== undefined) opened(performance.now() - started);
      callback(error, socket, reading);
    }, timeoutMs);
  };
}

function abortError(signal: AbortSignal): GatewayError {
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  return new GatewayError('client_gone', 'the request was given up', {
    origin: 'client',
    cause: reason,
  });
}

function shuttingDown(): GatewayError {
  return new GatewayError('shutting_down', 'the gateway is shutting down', { origin: 'gateway' });
}
