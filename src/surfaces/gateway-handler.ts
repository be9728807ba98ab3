import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SurfaceName } from '../core/artifact-request.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { fieldValue } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { UpstreamObserver } from '../core/upstream-observer.ts';
import type { Answer } from '../pipeline/answer.ts';
import type { AtHand } from '../pipeline/at-hand.ts';
import type { Resource } from '../pipeline/resource.ts';
import type { Serve } from '../pipeline/serve.ts';
import { blameTheClient } from './blame.ts';
import type { ClientResponse } from './client-response.ts';
import { takeDebugField } from './debug-field.ts';
import type { ForwardProxyRules } from './forward-proxy.ts';
import { landing } from './landing.ts';
import { withMountLocation } from './location.ts';
import type { Mount } from './mount-table.ts';
import { newRecord } from './new-record.ts';
import { ownReply } from './own-reply.ts';
import type { Passthrough } from './passthrough.ts';
import { PassthroughHandler, responseOn } from './passthrough-handler.ts';
import { asGatewayError, Reply } from './reply.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseFields } from './response-fields.ts';
import type { Incoming, Route, Router } from './router.ts';
import { malformation } from './well-formed.ts';

/** The routing of one configuration: a reload replaces it between two requests. */
export interface Routing {
  readonly router: Router;
  readonly mounts: readonly Mount[];
  readonly forwardProxy: ForwardProxyRules;
  /** Who shows it in `Millrace-Debug` gets the key. */
  readonly debugToken?: string;
}

export interface HandlerOptions {
  readonly serve: Serve;
  /** Asked first. */
  readonly atHand: AtHand;
  readonly passthrough: Passthrough;
  readonly routing: () => Routing;
  readonly fields: ResponseFields;
  readonly via: RequestVia;
  /** The origin that a connection was intercepted for. */
  readonly originFor: (socket: Socket) => string | undefined;
  readonly upstream: UpstreamObserver;
  readonly log: Logger;
  readonly now: () => number;
  /** Hears of the answers to requests for resources, before they are sent. */
  readonly answered?: (answered: Answered) => void;
  /** Takes each record once, when its request is over. */
  readonly record: (record: RequestRecord) => void;
}

/** A request of which no more than the head was looked at. */
export interface Routed {
  readonly route: Route;
  readonly record: RequestRecord;
  /** What it was routed by. */
  readonly routing: Routing;
}

/** An answer and what it is to. */
export interface Answered {
  readonly request: RequestHead;
  /** What the request was routed by. */
  readonly routing: Routing;
  readonly resource: Resource;
  readonly answer: Answer;
  readonly record: RequestRecord;
}

/** Our entry in the `Via` of requests, by which this instance finds itself. */
export interface RequestVia {
  append(existing: string | undefined, httpVersion: string): string;
  loops(existing: string | undefined): boolean;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ClientResponse;
  readonly reply: Reply;
  readonly record: RequestRecord;
  /** What its connection was intercepted for. */
  readonly origin: string | undefined;
}

/** Answers the requests that come in on the gateway's listener. */
export class GatewayHandler {
  readonly #options: HandlerOptions;
  readonly #passing: PassthroughHandler;

  constructor(options: HandlerOptions) {
    this.#options = options;
    const appendVia = options.via.append;
    this.#passing = new PassthroughHandler({ ...options, appendVia });
  }

  /** Where a request leads whose head was not taken yet. Throws what `handle` would answer with. */
  look(request: RequestHead): Routed {
    const origin = this.#options.originFor(request.socket);
    const record = newRecord(request, surfaceOf(request, origin), this.#options.now());
    const routing = this.#options.routing();
    return { route: this.#route(request, record, { upgrade: false, origin }), record, routing };
  }

  /** The answer that takes no waiting; it is neither sent nor recorded. */
  atHand(request: RequestHead, { route, routing, record }: Routed): Answered | undefined {
    if (route.kind !== 'resource') return undefined;
    const { resource } = route;
    const found = this.#options.atHand.answer(resource);
    if (found === undefined) return undefined;
    const answer = located(found.answer, resource);
    return { request, routing, resource, answer, record: { ...record, ...found.notes } };
  }

  /**
   * Answers one request, whatever happens on the way. `known`: what a look at its head has shown, with
   * no answer at hand.
   */
  async handle(request: IncomingMessage, response: ClientResponse, known?: Routed): Promise<void> {
    const exchange = this.#begin(request, response, known);
    try {
      await this.#answer(exchange, known);
    } catch (error) {
      // Where one reader stumbles, another may read on: nothing more is taken from this connection.
      if (asGatewayError(error).code === 'http_request_error') response.shouldKeepAlive = false;
      this.#fail(exchange.reply, exchange.record, error);
    }
  }

  /** Joins an upgraded connection, or answers on it. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { now, fields } = this.#options;
    const origin = this.#options.originFor(socket);
    const record = newRecord(request, surfaceOf(request, origin), now());
    const response = responseOn(socket, request);
    const reply = new Reply(response, record, { fields, now });
    socket.once('close', () => this.#options.record(record));
    const fail = (error: unknown): void => this.#fail(reply, record, error);
    try {
      const route = this.#route(request, record, { upgrade: true, origin });
      if (route.kind !== 'passthrough') throw notUpgradable();
      this.#passing.upgrade({ route, request, response, reply, record }, socket, head, fail);
    } catch (error) {
      fail(error);
    }
  }

  #begin(request: IncomingMessage, response: ClientResponse, known: Routed | undefined): Exchange {
    const { now, fields } = this.#options;
    const origin = this.#options.originFor(request.socket);
    const record = known?.record ?? newRecord(request, surfaceOf(request, origin), now());
    const reply = new Reply(response, record, { fields, now });
    response.once('close', () => this.#options.record(record));
    return { request, response, reply, record, origin };
  }

  #answer(exchange: Exchange, known: Routed | undefined): Promise<void> | undefined {
    const { request, response, reply, record, origin } = exchange;
    const routing = known?.routing ?? this.#options.routing();
    const route = known?.route ?? this.#route(request, record, { upgrade: false, origin });
    switch (route.kind) {
      case 'resource': {
        const { resource } = route;
        const found = known ? undefined : this.#options.atHand.answer(resource);
        const send = (answer: Answer) => this.#send(exchange, routing, resource, answer);
        if (!found) return this.#options.serve.answer(resource, record, reply).then(send);
        Object.assign(record, found.notes);
        return send(found.answer);
      }
      case 'passthrough':
        return this.#passing.web({ route, request, response, reply, record });
      case 'own':
        record.outcome = 'passthrough';
        record.detail = route.answer.reason;
        return reply.send(ownReply(route.answer, this.#options.now()));
      case 'landing': {
        record.outcome = 'passthrough';
        const { mounts } = routing;
        const { rawHeaders: headers } = request;
        return reply.send(landing({ base: route.base, mounts, headers, now: this.#options.now() }));
      }
    }
  }

  #send(
    { request, reply, record }: Exchange,
    routing: Routing,
    resource: Resource,
    from: Answer,
  ): Promise<void> | undefined {
    const answer = located(from, resource);
    this.#options.answered?.({ request, routing, resource, answer, record });
    return reply.send(answer);
  }

  #route(
    request: RequestHead,
    record: RequestRecord,
    { upgrade, origin }: { upgrade: boolean; origin: string | undefined },
  ): Route {
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
    const route = router.route({
      ...arrivalOf(request),
      headers,
      upgrade,
      receivedAt: record.startedAt,
      ...(origin !== undefined && { origin }),
    });
    if (route.kind === 'own') {
      record.surface = 'mount';
      record.ecosystem = route.ecosystem;
      record.mount = route.mount;
      record.kind = 'passthrough';
    } else if (route.kind !== 'landing') {
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
    // That a shutdown ends requests is no fault: the line of each request says so.
    if (failure.origin === 'gateway' && failure.code !== 'shutting_down')
      this.#options.log.error({ err: error, target: record.target }, 'request failed');
    reply.fail(failure);
  }
}

function surfaceOf({ url = '' }: RequestHead, origin: string | undefined): SurfaceName {
  if (origin !== undefined) return 'connect';
  return url.startsWith('/') ? 'mount' : 'forward-proxy';
}

/** What leads to the mount's upstream leads to the mount. */
function located(answer: Answer, { request }: Resource): Answer {
  const { publicBase, upstreams, ecosystem } = request;
  const upstreamUrl = upstreams[0]?.url;
  if (publicBase === undefined || upstreamUrl === undefined) return answer;
  const headers = withMountLocation(answer.headers, { upstreamUrl, publicBase, ecosystem });
  return headers === answer.headers ? answer : { ...answer, headers };
}

function badRequest(message: string): GatewayError {
  return new GatewayError('http_request_error', message, { origin: 'client' });
}

function arrivalOf(
  request: RequestHead,
): Pick<Incoming, 'method' | 'target' | 'remoteAddress' | 'localAuthority' | 'secure'> {
  const { socket, method = '', url = '' } = request;
  const address = socket.localAddress ?? '127.0.0.1';
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    method,
    target: url,
    remoteAddress: socket.remoteAddress ?? '',
    localAuthority: `${host}:${socket.localPort}`,
    secure: socket instanceof TLSSocket,
  };
}

function notUpgradable(): GatewayError {
  return new GatewayError('http_upgrade_failed', 'there is nothing to upgrade to', {
    origin: 'client',
  });
}
