import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { Roster } from '../core/roster.ts';
import { LargeSlabs } from './large-slabs.ts';
import { type Connect, connector, type Lookup } from './transport-connect.ts';
import { Exchange, type PendingExchange } from './transport-exchange.ts';
import { Http2Exchange } from './transport-http2-exchange.ts';
import { OriginConnections } from './transport-origin.ts';
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
  /**
   * HTTP/1.1 connections at a time to one origin, and HTTP/2 streams; without it as many as there are
   * requests.
   */
  readonly connectionsPerOrigin?: number;
  /** HTTP/2 is offered over TLS; without it HTTP/1.1 only is spoken. */
  readonly http2?: boolean;
  /** More certificate authorities to trust, in PEM, besides those of the system. */
  readonly ca?: readonly string[];
  /** Instead of the system's resolver. */
  readonly lookup?: Lookup;
  /** Milliseconds since the epoch, instead of the system's clock. */
  readonly now?: () => number;
  /** How many readers the bodies that arrive have: with few of them reads are longer. */
  readonly readers?: () => number;
  /** Hears of each connection that was opened, and how long that took. */
  readonly onConnect?: (origin: string, milliseconds: number) => void;
}

/**
 * HTTP/1.1 over keep-alive connections, by undici, and HTTP/2 where it is offered and chosen (ALPN),
 * by Node's own client. Trusted and guarded requests share no connection,
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
  readonly #largeSlabs: LargeSlabs;
  readonly #origins = new Map<string, OriginConnections>();
  readonly #active = new Roster<PendingExchange>();
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#largeSlabs = new LargeSlabs(options.readers);
    if (options.ca !== undefined) {
      this.#secureContext = createSecureContext({
        ca: [...getCACertificates('default'), ...options.ca],
      });
    }
  }

  send(request: UpstreamRequest, signal?: AbortSignal): Promise<UpstreamResponse> {
    if (this.#closed) return Promise.reject(shuttingDown());
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const exchange = this.#exchangeFor(request);
    this.#active.add(exchange);
    exchange.start();
    return signal === undefined ? exchange.head : this.#untilAborted(exchange, signal);
  }

  async #untilAborted(exchange: PendingExchange, signal: AbortSignal): Promise<UpstreamResponse> {
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
    for (const exchange of [...this.#active]) exchange.cancel(shuttingDown());
    const origins = [...this.#origins.values()];
    this.#origins.clear();
    await Promise.all(origins.map((origin) => origin.destroy(shuttingDown())));
  }

  #exchangeFor(request: UpstreamRequest): PendingExchange {
    const now = this.#now;
    const onOver = this.#onOver;
    const { http1, http2 } = this.#connectionsTo(request);
    if (http2 === undefined || request.lane === true) {
      return new Exchange(request, { pool: http1, now, onOver });
    }
    const { firstByteTimeoutMs, idleTimeoutMs } = this.#options;
    return new Http2Exchange(request, {
      connections: () => this.#connectionsTo(request),
      timeouts: { firstByteMs: firstByteTimeoutMs, idleMs: idleTimeoutMs },
      now,
      onOver,
    });
  }

  readonly #onOver = (exchange: PendingExchange): void => {
    this.#active.delete(exchange);
  };

  #connectionsTo({ url, trusted }: UpstreamRequest): OriginConnections {
    const origin = originOf(url);
    const key = trusted ? origin : `guarded ${origin}`;
    const known = this.#origins.get(key);
    if (known !== undefined) return known;
    const { http2 = false, connectionsPerOrigin, ...limits } = this.#options;
    const offersHttp2 = http2 && origin.startsWith('https:');
    const connections = new OriginConnections(
      origin,
      {
        connect: this.#connector(origin, trusted, ['http/1.1']),
        connectHttp2: offersHttp2
          ? this.#connector(origin, trusted, ['h2', 'http/1.1'])
          : undefined,
        maxConnections: connectionsPerOrigin ?? Number.POSITIVE_INFINITY,
        firstByteTimeoutMs: limits.firstByteTimeoutMs,
        idleTimeoutMs: limits.idleTimeoutMs,
      },
      () => this.#origins.delete(key),
    );
    this.#origins.set(key, connections);
    return connections;
  }

  #connector(origin: string, trusted: boolean, protocols: readonly ('h2' | 'http/1.1')[]): Connect {
    const { connectTimeoutMs, lookup, allowAddress, onConnect } = this.#options;
    const connect = connector(origin, trusted, {
      connectTimeoutMs,
      allowAddress,
      protocols,
      largeSlabs: this.#largeSlabs,
      ...(lookup && { lookup }),
      ...(this.#secureContext && { secureContext: this.#secureContext }),
    });
    return onConnect ? timed(connect, (ms) => onConnect(origin, ms)) : connect;
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
