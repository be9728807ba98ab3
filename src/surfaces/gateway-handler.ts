import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { UpstreamObserver } from '../core/upstream-observer.ts';
import type { Serve } from '../pipeline/serve.ts';
import { endToEnd } from '../policy/headers.ts';
import { invalidatedUrls, invalidates } from '../policy/invalidation.ts';
import { takeDebugField } from './debug-field.ts';
import { statusOf } from './error-status.ts';
import { landing } from './landing.ts';
import { withMountLocation } from './location.ts';
import type { Mount } from './mount-table.ts';
import type { Passthrough, PassthroughTarget } from './passthrough.ts';
import { asGatewayError, Reply } from './reply.ts';
import type { ResponseFields } from './response-fields.ts';
import type { Incoming, Route, Router } from './router.ts';
import { malformation } from './well-formed.ts';

/** The routing of one configuration: a reload replaces it between two requests. */
export interface Routing {
  readonly router: Router;
  readonly mounts: readonly Mount[];
  /** Who shows it in `Millrace-Debug` gets the key. */
  readonly debugToken?: string;
}

export interface HandlerOptions {
  readonly serve: Serve;
  readonly passthrough: Passthrough;
  readonly routing: () => Routing;
  readonly fields: ResponseFields;
  readonly via: RequestVia;
  readonly upstream: UpstreamObserver;
  readonly log: Logger;
  readonly now: () => number;
  /** Takes each record once, when its request is over. */
  readonly record: (record: RequestRecord) => void;
}

/** Our entry in the `Via` of requests, by which this instance finds itself. */
export interface RequestVia {
  append(existing: string | undefined, httpVersion: string): string;
  loops(existing: string | undefined): boolean;
}

/** Longest part of a request target that a record keeps. */
const recordedTarget = 2048;

/** Answers the requests that come in on the gateway's listener. */
export class GatewayHandler {
  readonly #options: HandlerOptions;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  /** Answers one request, whatever happens on the way. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { now, fields } = this.#options;
    const record = this.#newRecord(request);
    const reply = new Reply(response, record, { fields, now });
    response.once('close', () => this.#options.record(record));
    try {
      const route = this.#route(request, record);
      await this.#follow(route, request, response, reply, record);
    } catch (error) {
      // Where one reader stumbles, another may read on: nothing more is taken from this connection.
      if (asGatewayError(error).code === 'http_request_error') response.shouldKeepAlive = false;
      this.#fail(reply, record, error);
    }
  }

  /** Joins an upgraded connection, or refuses it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const record = this.#newRecord(request);
    socket.once('close', () => this.#options.record(record));
    const failed = (error: unknown) => this.#failUpgrade(socket, record, asGatewayError(error));
    try {
      const route = this.#route(request, record);
      if (route.kind !== 'passthrough') throw notUpgradable();
      record.outcome = 'passthrough';
      record.detail = route.reason;
      const joined = () => {
        record.status = 101;
      };
      const target = this.#target(request, route);
      this.#options.passthrough.upgrade(request, socket, head, target, { joined, failed });
    } catch (error) {
      failed(error);
    }
  }

  #failUpgrade(socket: Duplex, record: RequestRecord, error: GatewayError): void {
    const failure = blameTheClient(error, record);
    record.error = failure.code;
    record.detail = failure.message;
    // Once the connections are joined there is no HTTP on them any more.
    if (record.status === 101 || !socket.writable) {
      socket.destroy();
      return;
    }
    record.status = statusOf(failure);
    record.outcome = record.status < 500 ? 'refused' : 'failed';
    const proxyStatus = this.#options.fields.proxyStatus(record, failure);
    socket.end(
      `HTTP/1.1 ${record.status} ${STATUS_CODES[record.status]}\r\nConnection: close\r\n` +
        `Content-Length: 0\r\nProxy-Status: ${proxyStatus}\r\n\r\n`,
    );
  }

  async #follow(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    reply: Reply,
    record: RequestRecord,
  ): Promise<void> {
    switch (route.kind) {
      case 'resource': {
        const { resource } = route;
        const answer = await this.#options.serve.answer(resource, record, reply.left);
        const { publicBase, upstreams } = resource.request;
        const upstreamUrl = upstreams[0]?.url;
        await reply.send(
          publicBase !== undefined && upstreamUrl !== undefined
            ? { ...answer, headers: withMountLocation(answer.headers, { upstreamUrl, publicBase }) }
            : answer,
        );
        return;
      }
      case 'passthrough':
        record.outcome = 'passthrough';
        record.detail = route.reason;
        record.cacheStatus = { fwd: isRead(request) ? 'bypass' : 'method' };
        await this.#passThrough(route, request, response, reply, record);
        return;
      case 'landing':
        record.outcome = 'passthrough';
        await reply.send(landing(route.base, this.#options.routing().mounts, this.#options.now()));
        return;
    }
  }

  async #passThrough(
    route: Extract<Route, { kind: 'passthrough' }>,
    request: IncomingMessage,
    response: ServerResponse,
    reply: Reply,
    record: RequestRecord,
  ): Promise<void> {
    const { passthrough, serve, upstream: observer, now } = this.#options;
    const { url, method, publicBase, upstreams, ecosystem } = route.request;
    const origin = originOf(route.target.url);
    const sentAt = now();
    record.upstream = origin;
    const head = (status: number, rawHeaders: RawHeaders): void => {
      record.cacheStatus.fwdStatus = status;
      const firstByteMs = now() - sentAt;
      record.upstreamFirstByteMs = firstByteMs;
      observer.upstreamResponse({ origin, status, firstByteMs, ecosystem, kind: 'passthrough' });
      const headers = endToEnd(rawHeaders);
      const upstreamUrl = upstreams[0]?.url;
      reply.head(
        status,
        publicBase !== undefined && upstreamUrl !== undefined
          ? withMountLocation(headers, { upstreamUrl, publicBase })
          : headers,
      );
      // RFC 9111 section 4.4: what an unsafe method may have changed is not to be served again.
      if (invalidates(method, status)) serve.invalidate(invalidatedUrls(url, headers));
    };
    const count = (bytes: number): void => {
      record.bytesOut += bytes;
      record.bytesIn += bytes;
      observer.upstreamBytes(origin, bytes);
    };
    const target = this.#target(request, route);
    try {
      await passthrough.web(request, response, target, head, count);
    } catch (error) {
      const { code } = asGatewayError(error);
      const responded = record.cacheStatus.fwdStatus !== undefined;
      observer.upstreamFailure({ origin, code, responded, ecosystem, kind: 'passthrough' });
      throw error;
    }
  }

  #target(
    request: IncomingMessage,
    { target, request: { trusted } }: Extract<Route, { kind: 'passthrough' }>,
  ): PassthroughTarget {
    const { via } = this.#options;
    return {
      url: target.url,
      trusted,
      via: via.append(fieldValue(request.rawHeaders, 'via'), request.httpVersion),
      ...(target.authorization !== undefined && { authorization: target.authorization }),
    };
  }

  #route(request: IncomingMessage, record: RequestRecord): Route {
    const { routing, via } = this.#options;
    const wrong = malformation(request);
    if (wrong !== undefined) throw badRequest(wrong);
    if (via.loops(fieldValue(request.rawHeaders, 'via'))) {
      throw new GatewayError('proxy_loop_detected', 'the request came from this gateway', {
        origin: 'client',
      });
    }
    const { router, debugToken } = routing();
    const { headers, debug } = takeDebugField(request.rawHeaders, debugToken);
    const route = router.route(incomingOf(request, headers, record.startedAt));
    if (route.kind !== 'landing') {
      const { surface, ecosystem, mount } =
        route.kind === 'resource' ? route.resource.request : route.request;
      record.surface = surface;
      record.ecosystem = ecosystem;
      record.kind = route.kind === 'resource' ? route.resource.classification.kind : 'passthrough';
      if (mount !== undefined) record.mount = mount;
      // What is not for the cache has no key. RFC 9211 section 2.7.
      if (debug && route.kind === 'resource') record.key = route.resource.request.url;
    }
    return route;
  }

  #fail(reply: Reply, record: RequestRecord, error: unknown): void {
    const failure = blameTheClient(asGatewayError(error), record);
    if (failure.origin === 'gateway')
      this.#options.log.error({ err: error, target: record.target }, 'request failed');
    reply.fail(failure);
  }

  #newRecord(request: IncomingMessage): RequestRecord {
    const target = request.url ?? '';
    return {
      surface: target.startsWith('/') ? 'mount' : 'forward-proxy',
      method: request.method ?? '',
      target: target.length > recordedTarget ? target.slice(0, recordedTarget) : target,
      client: request.socket.remoteAddress ?? '',
      startedAt: this.#options.now(),
      ecosystem: 'none',
      outcome: 'refused',
      status: 0,
      cacheStatus: {},
      bytesOut: 0,
      bytesIn: 0,
    };
  }
}

/** Where there is no mount it was the client who named the private target, not an upstream. */
function blameTheClient(error: GatewayError, { mount }: RequestRecord): GatewayError {
  if (error.code !== 'destination_ip_prohibited' || mount !== undefined) return error;
  return new GatewayError(error.code, `${error.message}: name it in forwardProxy.allow`, {
    origin: 'client',
    cause: error,
  });
}

function badRequest(message: string): GatewayError {
  return new GatewayError('http_request_error', message, { origin: 'client' });
}

function incomingOf(request: IncomingMessage, headers: RawHeaders, receivedAt: number): Incoming {
  const { socket, method = '', url = '' } = request;
  const address = socket.localAddress ?? '127.0.0.1';
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    method,
    target: url,
    headers,
    remoteAddress: socket.remoteAddress ?? '',
    localAuthority: `${host}:${socket.localPort}`,
    receivedAt,
  };
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function notUpgradable(): GatewayError {
  return new GatewayError('http_upgrade_failed', 'there is nothing to upgrade to', {
    origin: 'client',
  });
}
