import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Transform } from 'node:stream';
import { originOf } from '../core/canonical-url.ts';
import type { GatewayError } from '../core/errors.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { UpstreamObserver } from '../core/upstream-observer.ts';
import type { Answer } from '../pipeline/answer.ts';
import type { Serve } from '../pipeline/serve.ts';
import { endToEnd } from '../policy/headers.ts';
import { invalidatedUrls, invalidates } from '../policy/invalidation.ts';
import { maxForwards } from '../policy/max-forwards.ts';
import type { ClientResponse } from './client-response.ts';
import { withMountLocation } from './location.ts';
import type { Passthrough, PassthroughTarget } from './passthrough.ts';
import { asGatewayError, type Reply } from './reply.ts';
import type { Route } from './router.ts';

export type PassthroughRoute = Extract<Route, { kind: 'passthrough' }>;

export interface PassthroughHandlerOptions {
  readonly serve: Pick<Serve, 'invalidate' | 'posted'>;
  readonly passthrough: Passthrough;
  readonly upstream: UpstreamObserver;
  /** Adds our entry to the `Via` of a request. */
  readonly appendVia: (existing: string | undefined, httpVersion: string) => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One request that the cache has no part in. */
export interface Passing {
  readonly route: PassthroughRoute;
  readonly request: IncomingMessage;
  readonly response: ClientResponse;
  readonly reply: Reply;
  readonly record: RequestRecord;
}

/** What passes through: recorded, counted, and invalidating what it may have changed. */
export class PassthroughHandler {
  readonly #options: PassthroughHandlerOptions;

  constructor(options: PassthroughHandlerOptions) {
    this.#options = options;
  }

  /** Resolves when the response is through; rejects with a GatewayError. */
  async web(passing: Passing): Promise<void> {
    const { route, request, response, reply, record } = passing;
    this.#begin(passing);
    const hops = maxForwards(route.request.method, request.rawHeaders);
    if (hops === 0) {
      await reply.send(ownOptions(this.#options.now()));
      return;
    }
    const { failed, ...notes } = this.#notes(passing);
    try {
      const target = {
        ...this.#target(route, request),
        ...(hops !== undefined && { maxForwards: hops - 1 }),
      };
      await this.#options.passthrough.web(request, response, target, notes);
    } catch (error) {
      failed(error, record.cacheStatus.fwdStatus !== undefined);
      throw error;
    }
  }

  /**
   * Joins an upgraded connection to the upstream's; where that answers otherwise, the client gets its
   * answer. `refuse` answers with what went wrong, for as long as HTTP is spoken.
   */
  upgrade(
    passing: Passing & { readonly response: ServerResponse },
    socket: Socket,
    head: Buffer,
    refuse: (error: GatewayError) => void,
  ): void {
    const { route, request, response, record } = passing;
    this.#begin(passing);
    const { failed, ...notes } = this.#notes(passing);
    this.#options.passthrough.upgrade(
      request,
      { socket, head, response },
      this.#target(route, request),
      {
        ...notes,
        joined: () => {
          record.status = 101;
          record.cacheStatus.fwdStatus = 101;
          response.detachSocket(socket);
        },
        failed: (error) => {
          failed(error, record.cacheStatus.fwdStatus !== undefined);
          if (record.status !== 101) {
            refuse(error);
            return;
          }
          record.error = error.code;
          record.detail = error.message;
          socket.destroy();
        },
      },
    );
  }

  #begin({ route, record }: Passing): void {
    const { method } = route.request;
    record.outcome = 'passthrough';
    record.detail = route.reason;
    record.cacheStatus = { fwd: method === 'GET' || method === 'HEAD' ? 'bypass' : 'method' };
    record.upstream = originOf(route.target.url);
  }

  /** What is to be told of the exchange with the upstream. */
  #notes({ route, reply, record }: Passing) {
    const { serve, upstream: observer, now } = this.#options;
    const { url, method, publicBase, upstreams, ecosystem } = route.request;
    const origin = originOf(route.target.url);
    const upstreamUrl = upstreams[0]?.url;
    const sentAt = now();
    return {
      head: (status: number, rawHeaders: RawHeaders): Transform | undefined => {
        record.cacheStatus.fwdStatus = status;
        const responseTime = now();
        const firstByteMs = responseTime - sentAt;
        record.upstreamFirstByteMs = firstByteMs;
        observer.upstreamResponse({ origin, status, firstByteMs, ecosystem, kind: 'passthrough' });
        const headers = endToEnd(rawHeaders);
        reply.head(
          status,
          publicBase !== undefined && upstreamUrl !== undefined
            ? withMountLocation(headers, { upstreamUrl, publicBase, ecosystem })
            : headers,
        );
        // RFC 9111 section 4.4: what an unsafe method may have changed is not to be served again.
        if (invalidates(method, status)) {
          serve.invalidate([...invalidatedUrls(url, headers), ...route.changes]);
        }
        return (
          route.asGet &&
          serve.posted.body(route.asGet, {
            status,
            headers: rawHeaders,
            requestTime: sentAt,
            responseTime,
          })
        );
      },
      interim: (status: number, headers: RawHeaders): void => reply.interim(status, headers),
      count: (bytes: number): void => {
        record.bytesOut += bytes;
        record.bytesIn += bytes;
        observer.upstreamBytes(origin, bytes);
      },
      failed: (error: unknown, responded: boolean): void => {
        const { code } = asGatewayError(error);
        observer.upstreamFailure({ origin, code, responded, ecosystem, kind: 'passthrough' });
      },
    };
  }

  #target(
    { target, request: { trusted } }: PassthroughRoute,
    { rawHeaders, httpVersion }: IncomingMessage,
  ): PassthroughTarget {
    return {
      url: target.url,
      trusted,
      via: this.#options.appendVia(fieldValue(rawHeaders, 'via'), httpVersion),
      ...(target.authorization !== undefined && { authorization: target.authorization }),
    };
  }
}

/** What an OPTIONS that may go no further is answered with: what this gateway passes on. */
function ownOptions(now: number): Answer {
  const date = new Date(now).toUTCString();
  const allow = 'GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE';
  const headers = ['Allow', allow, 'Content-Length', '0', 'Date', date];
  return { status: 200, headers, body: { kind: 'none' } };
}

/** A response on a connection that Node has let go of for an upgrade; the connection ends with it. */
export function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  const drained = (): boolean => response.emit('drain');
  socket.on('drain', drained);
  response.once('finish', () => {
    socket.off('drain', drained);
    response.detachSocket(socket);
    response.emit('close');
    socket.destroySoon();
  });
  return response;
}
