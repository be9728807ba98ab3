import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  createSecureServer as createHttp2Server,
  type Http2SecureServer,
  type Settings,
} from 'node:http2';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { generatedBytes } from './generated-bytes.ts';
import { selfSigned } from './tls/self-signed.ts';

/** What a path answers: GET and HEAD, conditional requests and single ranges. RFC 9110. */
export interface Resource {
  /** The bytes, or a generated body of `size` bytes. */
  readonly body: string | Uint8Array | { readonly seed: string; readonly size: number };
  readonly status?: number;
  /** More fields; an array value repeats the field. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** With its quotes; false: none. Without it a strong one is made from the body. */
  readonly etag?: string | false;
  readonly lastModified?: string;
  /** false: `Range` is ignored and not advertised. */
  readonly ranges?: boolean;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface LoggedRequest {
  readonly method: string;
  readonly target: string;
  /** `1.1`, `2.0`. */
  readonly httpVersion: string;
  /** `[name, value, …]` as received. */
  readonly headers: readonly string[];
  readonly status: number | undefined;
}

type AnyServer = Server | SecureServer | Http2SecureServer;

const pieceSize = 256 * 1024;

/** An ordinary HTTP server on loopback with a map of paths; everything else is a 404. */
export class HttpOrigin {
  /** `http://127.0.0.1:port`, or as the caller knows it. */
  readonly url: string;
  readonly port: number;
  /** Body bytes handed to sockets. */
  bytesSent = 0;
  /** Responses that are not over. */
  openExchanges = 0;
  /** Connections accepted so far. */
  connections = 0;
  readonly #server: AnyServer;
  readonly #sockets = new Set<Socket>();
  readonly #handlers = new Map<string, Handler>();
  readonly #log: (Omit<LoggedRequest, 'status'> & { response: ServerResponse })[] = [];

  constructor(server: AnyServer, base = 'http://127.0.0.1') {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `${base}:${this.port}`;
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
  }

  /** All requests in order, with the status they got so far. */
  get requests(): readonly LoggedRequest[] {
    return this.#log.map(({ response, ...request }) => ({
      ...request,
      status: response.headersSent ? response.statusCode : undefined,
    }));
  }

  /** Sockets that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Serves a resource at a path (query included in the comparison when the path has one). */
  serve(path: string, resource: Resource): void {
    this.#handlers.set(path, (request, response) =>
      this.#serveResource(resource, request, response),
    );
  }

  /** Answers a path with a function of one's own. */
  handle(path: string, handler: Handler): void {
    this.#handlers.set(path, handler);
  }

  /** What answers a path now. */
  handlerOf(path: string): Handler | undefined {
    return this.#handlers.get(path);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '';
    this.openExchanges += 1;
    response.once('close', () => {
      this.openExchanges -= 1;
    });
    this.#log.push({
      method: request.method ?? '',
      target,
      httpVersion: request.httpVersion,
      headers: request.rawHeaders,
      response,
    });
    const handler = this.#handlers.get(target) ?? this.#handlers.get(target.split('?')[0] ?? '');
    if (handler === undefined) response.writeHead(404, { 'Content-Length': 0 }).end();
    else await handler(request, response);
  }

  async #serveResource(
    resource: Resource,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { body } = resource;
    const generated = typeof body === 'object' && 'seed' in body ? body : undefined;
    const bytes = generated === undefined ? Buffer.from(body as string) : undefined;
    const size = generated?.size ?? bytes?.length ?? 0;
    const etag = resource.etag ?? strongTag(generated ?? bytes ?? '');
    for (const [name, value] of Object.entries(resource.headers ?? {})) {
      response.setHeader(name, value);
    }
    if (etag !== false) response.setHeader('ETag', etag);
    if (resource.lastModified !== undefined) {
      response.setHeader('Last-Modified', resource.lastModified);
    }
    if (resource.ranges !== false) response.setHeader('Accept-Ranges', 'bytes');

    if (isNotModified(request, etag, resource.lastModified)) {
      response.writeHead(304).end();
      return;
    }
    let first = 0;
    let last = size - 1;
    let status = resource.status ?? 200;
    const range = resource.ranges === false ? undefined : request.headers.range;
    const ifRange = request.headers['if-range'];
    if (
      status === 200 &&
      range !== undefined &&
      (ifRange === undefined || ifRange === etag || ifRange === resource.lastModified)
    ) {
      const satisfied = satisfy(range, size);
      if (satisfied === undefined) {
        response.writeHead(416, { 'Content-Range': `bytes */${size}`, 'Content-Length': 0 }).end();
        return;
      }
      if (satisfied !== 'ignore') {
        [first, last] = satisfied;
        status = 206;
        response.setHeader('Content-Range', `bytes ${first}-${last}/${size}`);
      }
    }
    response.writeHead(status, { 'Content-Length': last - first + 1 });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    for (let position = first; position <= last && !response.destroyed; ) {
      const length = Math.min(pieceSize, last + 1 - position);
      const piece = generated
        ? generatedBytes(generated.seed, position, length)
        : (bytes as Buffer).subarray(position, position + length);
      this.bytesSent += length;
      position += length;
      if (!response.write(piece)) await drainedOrClosed(response);
    }
    response.end();
  }
}

function strongTag(body: Uint8Array | string | { seed: string; size: number }): string {
  const identity = typeof body === 'object' && 'seed' in body ? `${body.seed}:${body.size}` : body;
  return `"${createHash('sha256').update(identity).digest('hex').slice(0, 16)}"`;
}

function isNotModified(
  request: IncomingMessage,
  etag: string | false,
  lastModified: string | undefined,
): boolean {
  const ifNoneMatch = request.headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || (etag !== false && tags.includes(etag.replace(/^W\//, '')));
  }
  const since = request.headers['if-modified-since'];
  return (
    since !== undefined &&
    lastModified !== undefined &&
    Date.parse(lastModified) <= Date.parse(since)
  );
}

/** First and last position; undefined when unsatisfiable, 'ignore' when not one plain byte range. */
function satisfy(range: string, size: number): [number, number] | 'ignore' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range);
  if (match === null || match[0] === 'bytes=-') return 'ignore';
  const [, from = '', to = ''] = match;
  if (from === '') {
    return Number(to) === 0 || size === 0 ? undefined : [Math.max(0, size - Number(to)), size - 1];
  }
  if (to !== '' && Number(to) < Number(from)) return 'ignore';
  if (Number(from) >= size) return undefined;
  return [Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1)];
}

function drainedOrClosed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

/** Starts one; the caller closes it. */
export async function startHttpOrigin(): Promise<HttpOrigin> {
  const server = createServer({ keepAliveTimeout: 60_000 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new HttpOrigin(server);
}

/** One for the running test, closed when the test is finished. */
export async function httpOrigin(): Promise<HttpOrigin> {
  const origin = await startHttpOrigin();
  onTestFinished(() => origin.close());
  return origin;
}

/** The same under TLS at `https://localhost:port`, with the certificate of tests. */
export async function httpsOrigin(): Promise<HttpOrigin> {
  const server = createSecureServer({ ...selfSigned, keepAliveTimeout: 60_000 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new HttpOrigin(server, 'https://localhost');
  onTestFinished(() => origin.close());
  return origin;
}

/** The same with HTTP/2 and HTTP/1.1, whichever the client chooses. */
export async function http2Origin(settings: Settings = {}): Promise<HttpOrigin> {
  const server = createHttp2Server({ ...selfSigned, allowHTTP1: true, settings });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new HttpOrigin(server, 'https://localhost');
  onTestFinished(() => origin.close());
  return origin;
}
