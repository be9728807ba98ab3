import type { GatewayError } from '../core/errors.ts';
import { toGatewayError } from './transport-errors.ts';
import { Exchange, idempotentMethods, type PendingExchange } from './transport-exchange.ts';
import type { Http2Connection } from './transport-http2-connection.ts';
import type { Grant } from './transport-http2-pool.ts';
import {
  Http2StreamExchange,
  type StreamFailure,
  type StreamTimeouts,
} from './transport-http2-stream.ts';
import type { OriginConnections } from './transport-origin.ts';
import type { TransportResponse } from './transport-response.ts';
import type { UpstreamRequest, UpstreamResponse } from './upstream.ts';

export interface Http2ExchangeContext {
  /** Those to the request's origin, as they are now. */
  readonly connections: () => OriginConnections;
  readonly timeouts: StreamTimeouts;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** It holds nothing any more. */
  readonly onOver: (exchange: PendingExchange) => void;
}

/**
 * One request and its response over HTTP/2, or over HTTP/1.1 where the upstream chooses that: for the
 * connection, for this request (HTTP_1_1_REQUIRED, ENHANCE_YOUR_CALM), or by a 421.
 */
export class Http2Exchange implements PendingExchange {
  readonly head: Promise<UpstreamResponse>;
  readonly #request: UpstreamRequest;
  readonly #context: Http2ExchangeContext;
  readonly #answer = Promise.withResolvers<UpstreamResponse>();
  #stopWaiting: () => void = () => undefined;
  #stream: Http2StreamExchange | undefined;
  /** Gives back the stream's place. */
  #release: () => void = () => undefined;
  #response: TransportResponse | undefined;
  #overHttp1: Exchange | undefined;
  #retried = false;
  #over = false;

  constructor(request: UpstreamRequest, context: Http2ExchangeContext) {
    this.#request = request;
    this.#context = context;
    this.head = this.#answer.promise;
  }

  start(): void {
    const { http2 } = this.#context.connections();
    if (http2 === undefined) {
      this.#goOverHttp1();
      return;
    }
    this.#stopWaiting = http2.acquire((grant) => {
      const { connection } = grant as Partial<Extract<Grant, { kind: 'stream' }>>;
      if (connection !== undefined) this.#release = () => http2.release(connection);
      this.#granted(grant);
    }, this.#request.timeouts?.connectMs);
  }

  cancel(error: GatewayError): void {
    if (this.#over) return;
    if (this.#overHttp1 !== undefined) {
      this.#overHttp1.cancel(error);
      return;
    }
    this.#stopWaiting();
    this.#request.body?.destroy();
    this.#stream?.cancel();
    this.#finish();
    this.#response?.arrived(error);
    this.#answer.reject(error);
  }

  #granted(grant: Grant): void {
    switch (grant.kind) {
      case 'stream':
        this.#open(grant.connection);
        return;
      case 'http/1.1':
        this.#goOverHttp1();
        return;
      case 'failed':
        this.#finish();
        this.#answer.reject(toGatewayError(grant.error, 'connecting'));
        return;
    }
  }

  #open(connection: Http2Connection): void {
    const { now, timeouts } = this.#context;
    const firstByteMs = this.#request.timeouts?.firstByteMs ?? timeouts.firstByteMs;
    this.#stream = new Http2StreamExchange({
      request: this.#request,
      connection,
      timeouts: { ...timeouts, firstByteMs },
      now,
      onHead: (response) => this.#onHead(response),
      onOver: (failure) => this.#onOver(connection, failure),
    });
    this.#stream.start();
  }

  #onHead(response: TransportResponse): void {
    // RFC 9110 section 15.5.20: what one connection does not serve another one may.
    if (response.status === 421 && this.#canRepeat()) {
      this.#stream?.cancel();
      this.#leave();
      this.#goOverHttp1();
      return;
    }
    this.#response = response;
    this.#answer.resolve(response);
  }

  #onOver(connection: Http2Connection, failure: StreamFailure | undefined): void {
    if (failure === undefined || failure.responded || !this.#canRepeat()) {
      this.#end(failure);
      return;
    }
    if (failure.wantsHttp1 && this.#isIdempotent) {
      this.#leave();
      this.#goOverHttp1();
      return;
    }
    if (!this.#mayRetry(connection, failure)) {
      this.#end(failure);
      return;
    }
    this.#retried = true;
    connection.retire();
    this.#leave();
    this.#stream = undefined;
    queueMicrotask(() => {
      if (!this.#over) this.start();
    });
  }

  /** RFC 9113 section 8.7; and the upstream may have closed the idle connection as we wrote. */
  #mayRetry(connection: Http2Connection, { error, refused }: StreamFailure): boolean {
    if (this.#retried) return false;
    if (refused) return true;
    const died = error.code === 'connection_terminated' && !connection.isUp;
    return died && connection.requests > 1 && this.#isIdempotent;
  }

  get #isIdempotent(): boolean {
    return idempotentMethods.has(this.#request.method);
  }

  #canRepeat(): boolean {
    return this.#request.body === undefined;
  }

  #goOverHttp1(): void {
    const { connections, now } = this.#context;
    const onOver = (): void => this.#context.onOver(this);
    this.#stream = undefined;
    this.#overHttp1 = new Exchange(this.#request, { pool: connections().http1, now, onOver });
    this.#overHttp1.head.then(this.#answer.resolve, this.#answer.reject);
    this.#overHttp1.start();
  }

  #end(failure: StreamFailure | undefined): void {
    this.#finish();
    if (failure !== undefined) this.#answer.reject(failure.error);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.onOver(this);
    this.#leave();
  }

  #leave(): void {
    // Not within what ended the stream: the next one may begin there.
    queueMicrotask(this.#release);
    this.#release = () => undefined;
  }
}
