import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { rateLimitOf } from '../core/rate-limit.ts';
import type { UpstreamObserver, UpstreamPurpose } from '../core/upstream-observer.ts';
import { ForwardedResponse } from './forwarded-response.ts';
import type { Transport, UpstreamResponse } from './upstream.ts';

/** Tells the observer of every request that the transport sends, and of the bytes that come. */
export function withObserver(inner: Transport, observer: UpstreamObserver): Transport {
  return {
    close: () => inner.close(),
    send(request, signal) {
      const answered = (response: UpstreamResponse): UpstreamResponse => {
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
      };
      const failed = (error: unknown): never => {
        // A client that left says nothing about the upstream.
        if (error instanceof GatewayError && error.code !== 'client_gone') {
          observer.upstreamFailure({
            origin: originOf(request.url),
            code: error.code,
            ...request.purpose,
          });
        }
        throw error;
      };
      return inner.send(request, signal).then(answered, failed);
    },
  };
}

/** Tells the observer what comes of a body. */
class ObservedResponse extends ForwardedResponse {
  readonly #purpose: UpstreamPurpose | undefined;
  readonly #observer: UpstreamObserver;

  constructor(
    response: UpstreamResponse,
    purpose: UpstreamPurpose | undefined,
    observer: UpstreamObserver,
  ) {
    super(response);
    this.#purpose = purpose;
    this.#observer = observer;
  }

  override takeWhole(size: number, take: (body: Uint8Array) => boolean): boolean {
    const isTaken = super.takeWhole(size, take);
    if (isTaken && size > 0) this.#observer.upstreamBytes(this.origin, size);
    return isTaken;
  }

  override data(chunk: Buffer): boolean {
    this.#observer.upstreamBytes(this.origin, chunk.length);
    return super.data(chunk);
  }

  override error(error: GatewayError): void {
    const { origin } = this;
    this.#observer.upstreamFailure({
      origin,
      code: error.code,
      responded: true,
      ...this.#purpose,
    });
    super.error(error);
  }
}
