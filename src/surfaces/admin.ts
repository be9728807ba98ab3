import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { GatewayError } from '../core/errors.ts';
import type { Every } from '../core/every.ts';
import type { Logger } from '../core/logger.ts';
import {
  type Denial,
  denyForeignChange,
  denyForeignName,
  denyWithoutToken,
} from './admin-access.ts';
import type { AdminDebug } from './admin-debug.ts';
import { loadAdminPage } from './admin-page.ts';
import { parsePurgeQuery, parseUrlQuery } from './admin-query.ts';
import { type ReplyFields, sendBody, sendJson, sendProblem } from './admin-reply.ts';
import type { AdminView } from './admin-view.ts';
import { EventStream } from './event-stream.ts';

export interface AdminOptions {
  /** When set, wanted for the page and `/api`; health and metrics stay open for probes. */
  readonly token?: string;
  readonly view: AdminView;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly logger: Logger;
  /** Undefined: `/debug` is off. */
  readonly debug?: AdminDebug | undefined;
  /** Timers, instead of the system's. */
  readonly every?: Every;
}

export interface Admin {
  /** For Node's HTTP server. */
  readonly listener: RequestListener;
  /** Ends the streams of events; the listener is not used afterwards. */
  close(): void;
}

/** Who watches at a time: more than any team has operators. */
const mostWatchers = 16;

type Handler = (response: ServerResponse, query: string) => void | Promise<void>;

interface Route {
  readonly guarded: boolean;
  readonly GET?: Handler;
  readonly DELETE?: Handler;
}

/** The admin side; it has a port of its own. */
export function createAdmin(options: AdminOptions): Admin {
  const { view, every } = options;
  const data = () => view.fills();
  const fills = new EventStream({
    event: 'fills',
    data,
    most: mostWatchers,
    ...(every && { every }),
  });
  const routes = createRoutes(options, fills);
  const listener: RequestListener = (request, response) => {
    // Bodies mean nothing here; an unread one would hold up the connection.
    request.resume();
    answer(options, routes, request, response).catch((error: unknown) => {
      options.logger.error({ err: error, target: request.url }, 'admin request failed');
      if (response.headersSent) response.destroy();
      else sendFailure(response, error);
    });
  };
  return { listener, close: () => fills.close() };
}

async function answer(
  { token }: AdminOptions,
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url: target = '' } = request;
  if (!target.startsWith('/')) {
    return sendProblem(response, 400, 'The admin side is not a proxy: the target is a path.');
  }
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const route = routes.get(path);
  if (route === undefined) {
    const paths = [...routes.keys()].join(' ');
    return sendProblem(response, 404, `There is nothing here. There is: ${paths}`);
  }
  const changes = method !== 'GET' && method !== 'HEAD';
  const denial =
    (changes ? denyForeignChange(request, token) : undefined) ??
    (route.guarded ? denyForeignName(request, token) : undefined) ??
    (route.guarded ? denyWithoutToken(request, token, changes) : undefined);
  if (denial !== undefined) return sendDenial(response, denial);
  // RFC 9110 section 9.3.2: a HEAD is a GET whose content Node leaves out.
  const verb = method === 'HEAD' ? 'GET' : method;
  const handler = verb === 'GET' || verb === 'DELETE' ? route[verb] : undefined;
  if (handler === undefined) {
    const allow = [...(route.GET ? ['GET', 'HEAD'] : []), ...(route.DELETE ? ['DELETE'] : [])];
    // RFC 9110 section 15.5.6.
    return sendProblem(response, 405, `Only ${allow.join(', ')} here.`, {
      Allow: allow.join(', '),
    });
  }
  await handler(response, mark === -1 ? '' : target.slice(mark + 1));
}

function createRoutes(
  { view, metrics, logger, debug }: AdminOptions,
  fills: EventStream,
): ReadonlyMap<string, Route> {
  const page = loadAdminPage();
  return new Map<string, Route>([
    [
      '/',
      {
        guarded: true,
        GET: (response) => sendBody(response, 200, page.contentType, page.body, page.fields),
      },
    ],
    ['/healthz', { guarded: false, GET: (response) => sendHealth(response, view) }],
    [
      '/readyz',
      {
        guarded: false,
        GET: (response) => {
          const ready = view.ready();
          sendJson(response, ready ? 200 : 503, { ready });
        },
      },
    ],
    [
      '/metrics',
      {
        guarded: false,
        GET: async (response) => {
          const { contentType, body } = await metrics();
          sendBody(response, 200, contentType, body);
        },
      },
    ],
    ['/api/stats', { guarded: true, GET: (response) => sendJson(response, 200, view.stats()) }],
    ['/api/fills', { guarded: true, GET: (response) => sendJson(response, 200, view.fills()) }],
    ['/api/fills/stream', { guarded: true, GET: (response) => sendEvents(response, fills) }],
    ['/api/mirrors', { guarded: true, GET: (response) => sendJson(response, 200, view.mirrors()) }],
    [
      '/debug/cpu-profile',
      {
        guarded: true,
        GET: (response, query) => debug?.cpuProfile(response, query) ?? sendDebugOff(response),
      },
    ],
    [
      '/debug/heap-snapshot',
      {
        guarded: true,
        GET: (response) => debug?.heapSnapshot(response) ?? sendDebugOff(response),
      },
    ],
    [
      '/api/explain',
      {
        guarded: true,
        GET: async (response, query) => {
          const url = parseUrlQuery(query);
          if (!url.ok) return sendProblem(response, 400, url.detail);
          const explained = await view.explain(url.value);
          if ('refused' in explained) return sendProblem(response, 404, explained.refused);
          sendJson(response, 200, explained);
        },
      },
    ],
    [
      '/api/entries',
      {
        guarded: true,
        GET: async (response, query) => {
          const url = parseUrlQuery(query);
          if (!url.ok) return sendProblem(response, 400, url.detail);
          sendJson(response, 200, { url: url.value, entries: await view.entries(url.value) });
        },
        DELETE: async (response, query) => {
          const selector = parsePurgeQuery(query);
          if (!selector.ok) return sendProblem(response, 400, selector.detail);
          const purged = await view.purge(selector.value);
          logger.info({ ...selector.value, purged }, 'purged');
          sendJson(response, 200, { purged });
        },
      },
    ],
  ]);
}

/** Degraded is still 200: requests go on uncached, and a restart would help nobody. */
function sendHealth(response: ServerResponse, view: AdminView): void {
  const { ok, checks } = view.health();
  const degraded = Object.values(checks).some((check) => !check.ok);
  const status = ok ? (degraded ? 'degraded' : 'ok') : 'down';
  sendJson(response, ok ? 200 : 503, { status, checks });
}

function sendEvents(response: ServerResponse, stream: EventStream): void {
  if (stream.hasRoom) {
    stream.open(response);
    return;
  }
  const detail = 'As many as may are listening already; /api/fills has the same figures once.';
  sendProblem(response, 503, detail, { 'Retry-After': '10' });
}

function sendDebugOff(response: ServerResponse): void {
  sendProblem(response, 404, 'Profiles are off: set admin.debug to true.');
}

function sendDenial(response: ServerResponse, { status, detail, challenges }: Denial): void {
  const fields: ReplyFields = challenges === undefined ? {} : { 'WWW-Authenticate': challenges };
  sendProblem(response, status, detail, fields);
}

function sendFailure(response: ServerResponse, error: unknown): void {
  const storage = error instanceof GatewayError && error.origin === 'storage';
  const detail = error instanceof GatewayError ? `${error.code}: ${error.message}` : 'See the log.';
  sendProblem(response, storage ? 503 : 500, detail);
}
