import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { rateLimitOf } from '../core/rate-limit.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamObserver, UpstreamPurpose } from '../core/upstream-observer.ts';
import type { BodySink, Transport, UpstreamResponse } from './upstream.ts';

/** Tells the observer of every request that the transport sends, and of the bytes that come. */
export function withObserver(inner: Transport, observer: UpstreamObserver): Transport {
  return {
    close: () => inner.close(),
    async send(request, signal) {
      try {
        const response = await inner.send(request, signal);
        const { origin, status, requestTime, responseTime } = response;
        const firstByteMs = responseTime - requestTime;
        const limit = rateLimitOf(response.headers);
        observer.upstreamResponse({
          origin,
          status,
          firstByteMs,
          ...(limit && { rateLimit: { ...limit, at: responseTime } }),
          ...request.purpose,
        });
        return new ObservedResponse(response, request.purpose, observer);
      } catch (error) {
        // A client that left says nothing about the upstream.
        if (error instanceof GatewayError && error.code !== 'client_gone') {
          observer.upstreamFailure({
            origin: originOf(request.url),
            code: error.code,
            ...request.purpose,
          });
        }
        throw error;
      }
    },
  };
}

/** A response, and the sink of its body, that tell the observer what comes. */
class ObservedResponse implements UpstreamResponse, BodySink {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly origin: string;
  readonly url: string;
  readonly requestTime: number;
  readonly responseTime: number;
  readonly #response: UpstreamResponse;
  readonly #purpose: UpstreamPurpose | undefined;
  readonly #observer: UpstreamObserver;
  #sink: BodySink | undefined;

  constructor(
    response: UpstreamResponse,
    purpose: UpstreamPurpose | undefined,
    observer: UpstreamObserver,
  ) {
    this.status = response.status;
    this.headers = response.headers;
    this.origin = response.origin;
    this.url = response.url;
    this.requestTime = response.requestTime;
    this.responseTime = response.responseTime;
    this.#response = response;
    this.#purpose = purpose;
    this.#observer = observer;
  }

  consume(sink: BodySink): void {
    this.#sink = sink;
    this.#response.consume(this);
  }

  resume(): void {
    this.#response.resume();
  }

  giveBack(chunk: Uint8Array): void {
    this.#response.giveBack(chunk);
  }

  abort(): void {
    this.#response.abort();
  }

  data(chunk: Buffer): boolean {
    this.#observer.upstreamBytes(this.origin, chunk.length);
    return (this.#sink as BodySink).data(chunk);
  }

  end(): void {
    this.#sink?.end();
  }

  error(error: GatewayError): void {
    const { origin } = this;
    this.#observer.upstreamFailure({
      origin,
      code: error.code,
      responded: true,
      ...this.#purpose,
    });
    this.#sink?.error(error);
  }
}
