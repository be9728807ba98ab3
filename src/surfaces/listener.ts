import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fieldValue } from '../core/raw-headers.ts';
import type { ConnectHandler } from './connect.ts';
import type { FastPath } from './fast-path.ts';
import type { GatewayHandler, Routed } from './gateway-handler.ts';
import { reset } from './joined-sockets.ts';
import { Lingering } from './lingering.ts';
import { defaultTimes, type ListenerTimes } from './listener-times.ts';
import { PatientServer } from './patient-server.ts';
import { Pipelining } from './pipelining.ts';

export interface ListenerOptions {
  readonly times?: ListenerTimes;
  /** Without it Node's HTTP server reads all requests. */
  readonly fastPath?: FastPath | undefined;
}

const maxHeadBytes = 64 * 1024;

/** The gateway's HTTP/1.1 server; the caller listens and closes. */
export function createListener(
  handler: {
    handle(request: IncomingMessage, response: ServerResponse, known?: Routed): Promise<void>;
    readonly upgrade: GatewayHandler['upgrade'];
  },
  tunnels: Pick<ConnectHandler, 'connect'>,
  refused: (reason: RefusedHead, client: string) => void,
  { times = defaultTimes, fastPath }: ListenerOptions = {},
): Server {
  const lingering = new Lingering();
  const pipelining = new Pipelining((request, response, known) => {
    void handler.handle(request, response, known);
  });
  const take = (request: IncomingMessage, response: ServerResponse) => {
    server.began(response);
    pipelining.take(request, response, fastPath?.took(request.socket, response));
  };
  const server: PatientServer = new PatientServer(
    {
      maxHeaderSize: maxHeadBytes,
      headersTimeout: times.head,
      connectionsCheckingInterval: times.head / 2,
      // A request body may take as long as it moves: an idle timeout, not a total one.
      requestTimeout: 0,
      keepAliveTimeout: times.keepAlive,
      insecureHTTPParser: false,
      // Asked for by the handler, whose refusals say why.
      requireHostHeader: false,
      noDelay: true,
      // The others are ordinary requests: an Upgrade may be ignored. RFC 9110 section 7.8.
      shouldUpgradeCallback: (request) =>
        server.listening && isWebSocket(request) && server.current(request.socket) === undefined,
    },
    take,
    (socket) => fastPath?.sends(socket) === true,
  );
  server.on('checkContinue', take);
  // RFC 9110 section 10.1.1: what is not known may be ignored. Node's own 417 would not wait its turn.
  server.on('checkExpectation', take);
  server.setTimeout(times.stalled, (socket) => {
    // While an answer has not begun it is the upstream that is slow, and that has limits of its own.
    const response = server.current(socket);
    if (response?.req.complete && !response.headersSent) return;
    // What the system still holds of an answer must not end in order before the answer does.
    reset(socket);
  });
  // After Node's own listener, which gave the socket to the parser.
  if (fastPath) server.on('connection', (socket: Socket) => fastPath.take(socket));
  // Counted by the handler: before 24.18.1 Node dropped the fields beyond its count and went on.
  server.maxHeadersCount = 0;
  server.on('upgrade', (request, socket: Socket, head) => {
    // Node listens no more; what breaks closes it, and that is seen.
    socket.on('error', () => socket.destroy());
    server.gaveUp(socket);
    handler.upgrade(request, socket, head);
  });
  server.on('connect', (request, socket, head) => {
    // RFC 9112 section 9.3.2: behind a request that is not answered yet it does not belong.
    if (server.current(socket)) socket.destroy();
    else tunnels.connect(request, socket, head);
    server.gaveUp(socket);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // All that follows what is no request is none.
    if (lingering.has(socket)) return;
    // The other side is gone: there is nobody to answer.
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const reason = reasonOf(error.code);
    const response = server.current(socket);
    // What follows a request that is still being answered must not end up in its body.
    if (response) {
      // A request that broke off will never be whole: there is nothing to wait for.
      if (!response.req.complete) socket.destroy();
      else response.once('close', () => lingering.end(socket));
      return;
    }
    lingering.end(socket, refusalOf(refusals[reason]));
    refused(reason, 'remoteAddress' in socket ? String(socket.remoteAddress) : '');
  });
  return server;
}

/**
 * RFC 9110 section 7.8: in HTTP/1.0 there is no upgrade. RFC 6455 section 4.1: a GET, and so without
 * content, which would stand before what the other protocol says.
 */
function isWebSocket({ method, httpVersion, rawHeaders }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    fieldValue(rawHeaders, 'content-length') === undefined &&
    fieldValue(rawHeaders, 'transfer-encoding') === undefined &&
    fieldValue(rawHeaders, 'upgrade')?.trim().toLowerCase() === 'websocket' &&
    /(^|,)\s*upgrade\s*($|,)/i.test(fieldValue(rawHeaders, 'connection') ?? '')
  );
}

/** Why a request was refused before it was one. */
export type RefusedHead = 'malformed' | 'head-too-large' | 'head-timeout';

interface Refusal {
  readonly status: string;
  readonly error: string;
  readonly details: string;
}

const refusals: Record<RefusedHead, Refusal> = {
  malformed: {
    status: '400 Bad Request',
    error: 'http_request_error',
    details: 'the request is not well-formed HTTP/1.1',
  },
  'head-too-large': {
    status: '431 Request Header Fields Too Large',
    error: 'http_request_error',
    details: 'the head of the request is larger than 64 KiB',
  },
  'head-timeout': {
    status: '408 Request Timeout',
    error: 'http_request_error',
    details: 'the head of the request did not come in time',
  },
};

function reasonOf(code: string | undefined): RefusedHead {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'head-too-large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'head-timeout';
    default:
      return 'malformed';
  }
}

function refusalOf({ status, error, details }: Refusal): string {
  const text = `${status}: ${details}\n`;
  return (
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n` +
    `Proxy-Status: millrace; error=${error}; details="${details}"\r\n\r\n${text}`
  );
}
