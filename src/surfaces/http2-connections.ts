import type { IncomingMessage } from 'node:http';
import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { Roster } from '../core/roster.ts';
import type { ClientResponse } from './client-response.ts';
import { Http2Request } from './http2-request.ts';
import { Http2Response } from './http2-response.ts';

type Handle = (request: IncomingMessage, response: ClientResponse) => void;

/** Requests of one connection that are worked on at the same time. */
const maxStreams = 128;
const maxHeadBytes = 64 * 1024;
/** What may wait for a slow client: a chunk of 256 KiB for each request at the most, and as much again. */
const memoryMebibytes = (2 * maxStreams) / 4;

/** Connections that speak HTTP/2. */
export class Http2Connections {
  readonly #handle: Handle;
  readonly #stalledMs: number;
  readonly #sessions = new Set<ServerHttp2Session>();

  /** A client that takes and gives nothing for `stalledMs` is gone. */
  constructor(handle: Handle, stalledMs = 120_000) {
    this.#handle = handle;
    this.#stalledMs = stalledMs;
  }

  /** Serves a connection whose handshake is over and has chosen h2. */
  take(socket: Socket): void {
    const session = performServerHandshake(socket, {
      // What an upstream says twice is said twice, as over HTTP/1.1; Node before 24.15 cannot.
      strictSingleValueFields: false,
      maxSessionMemory: memoryMebibytes,
      settings: {
        maxConcurrentStreams: maxStreams,
        maxHeaderListSize: maxHeadBytes,
        enablePush: false,
      },
    });
    const waiting = new Roster<ClientResponse>();
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    // The session ends with it, and each request is recorded as it ends.
    session.on('error', () => session.destroy());
    session.on('stream', (stream, _headers, _flags, fields) => {
      this.#serve(stream, fields as unknown as readonly string[], socket, waiting);
    });
    const look = (): void => {
      // While an answer has not begun it is the upstream that is slow, and that has limits of its own.
      const slow = [...waiting].some(({ headersSent, req }) => !headersSent && req.complete);
      if (slow) session.setTimeout(this.#stalledMs, look);
      else session.destroy();
    };
    session.setTimeout(this.#stalledMs, look);
  }

  /** Takes no new requests, lets those under way finish, and ends the rest after the grace time. */
  async close(graceMs: number): Promise<void> {
    const ending = [...this.#sessions].map(
      (session) =>
        new Promise<void>((resolve) => {
          session.once('close', () => resolve());
          session.close();
        }),
    );
    const deadline = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, graceMs);
    await Promise.all(ending);
    clearTimeout(deadline);
  }

  #serve(
    stream: ServerHttp2Stream,
    fields: readonly string[],
    socket: Socket,
    waiting: Roster<ClientResponse>,
  ): void {
    const request = new Http2Request(stream, socket, fields);
    const response = new Http2Response(stream, request);
    waiting.add(response);
    response.once('close', () => waiting.delete(response));
    // RFC 9113 section 8.5: a tunnel within HTTP/2 is not offered.
    if (request.method === 'CONNECT') {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    // RFC 9110 section 10.1.1.
    if (request.headers.expect?.toLowerCase() === '100-continue') {
      stream.additionalHeaders({ ':status': 100 });
    }
    this.#handle(request, response);
  }
}
