import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { rateLimitOf } from '../core/rate-limit.ts';
import type { UpstreamObserver } from '../core/upstream-observer.ts';
import type { BodySink, Transport, UpstreamRequest, UpstreamResponse } from './upstream.ts';

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
        return observed(response, request, observer);
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

function observed(
  response: UpstreamResponse,
  { purpose }: UpstreamRequest,
  observer: UpstreamObserver,
): UpstreamResponse {
  const { status, headers, origin, url, requestTime, responseTime } = response;
  return {
    status,
    headers,
    origin,
    url,
    requestTime,
    responseTime,
    resume: () => response.resume(),
    giveBack: (chunk) => response.giveBack(chunk),
    abort: () => response.abort(),
    consume(sink: BodySink) {
      response.consume({
        data(chunk) {
          observer.upstreamBytes(origin, chunk.length);
          return sink.data(chunk);
        },
        end: () => sink.end(),
        error(error) {
          observer.upstreamFailure({ origin, code: error.code, responded: true, ...purpose });
          sink.error(error);
        },
      });
    },
  };
}
