import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { GatewayError } from '../core/errors.ts';
import { fieldValue } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { UpstreamObserver } from '../core/upstream-observer.ts';
import { type Authority, parseAuthority } from './authority.ts';
import { blameTheClient } from './blame.ts';
import type { ForwardProxyRules } from './forward-proxy.ts';
import type { Interceptor } from './interceptor.ts';
import { JoinedSockets, type TunnelEnd } from './joined-sockets.ts';
import { newRecord } from './new-record.ts';
import { responseOn } from './passthrough-handler.ts';
import { asGatewayError, Reply } from './reply.ts';
import type { ResponseFields } from './response-fields.ts';
import { malformation } from './well-formed.ts';

export interface ConnectOptions {
  readonly rules: () => ForwardProxyRules;
  /** Connects to a target; rejects with a GatewayError, also when the signal gives it up. */
  readonly open: (
    target: Authority & { readonly trusted: boolean },
    signal: AbortSignal,
  ) => Promise<Socket>;
  readonly interceptor: Pick<Interceptor, 'intercepts' | 'take'>;
  /** Whether a connection leads back to this gateway. */
  readonly isOwn: (socket: Socket) => boolean;
  /** Whether our entry is in the `Via` of a request. */
  readonly loops: (via: string | undefined) => boolean;
  /** Milliseconds without a byte either way. */
  readonly idleMs: () => number;
  readonly fields: ResponseFields;
  readonly upstream: UpstreamObserver;
  readonly now: () => number;
  /** Takes each record once, when its tunnel is over. */
  readonly record: (record: RequestRecord) => void;
}

/** What a CONNECT needs on its way. */
interface Asked {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly record: RequestRecord;
}

/** Tunnels: CONNECT, RFC 9110 section 9.3.6. */
export class ConnectHandler {
  readonly #options: ConnectOptions;
  readonly #joined = new Set<JoinedSockets>();
  readonly #closing = new AbortController();

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  /** Tunnels that are open now. */
  get open(): number {
    return this.#joined.size;
  }

  /** Takes a connection whose client asked for a tunnel; `head` is what it sent behind that. */
  connect(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    // A server of node:http has sockets of node:net.
    const socket = duplex as Socket;
    const record = newRecord(request, 'connect', this.#options.now());
    // Node listens no more; what breaks closes it, and that is seen.
    socket.on('error', () => socket.destroy());
    socket.setTimeout(0);
    const asked = { request, socket, head, record };
    this.#serve(asked).catch((error: unknown) => this.#refuse(asked, asGatewayError(error)));
  }

  /** Ends what stands still soon and the rest after the grace time; resolves when all are closed. */
  async close(graceMs: number): Promise<void> {
    this.#closing.abort();
    for (const joined of this.#joined) joined.hurry(Math.ceil(graceMs / 10));
    const deadline = setTimeout(() => {
      for (const joined of this.#joined) joined.cut();
    }, graceMs);
    await Promise.all([...this.#joined].map(({ ended }) => ended));
    clearTimeout(deadline);
  }

  async #serve(asked: Asked): Promise<void> {
    const { record, socket } = asked;
    const authority = this.#authorityOf(asked.request);
    const { hostname, port } = authority;
    const origin = `https://${hostname}${port === 443 ? '' : `:${port}`}`;
    const { interceptor } = this.#options;
    if (interceptor.intercepts(authority)) {
      record.outcome = 'passthrough';
      record.kind = 'passthrough';
      return interceptor.take(asked, authority, origin, () => this.#begin(asked));
    }
    const trusted = this.#options.rules().admitTunnel(hostname, port) === 'trusted';
    record.outcome = 'passthrough';
    record.kind = 'passthrough';
    record.detail = 'tunnel';
    record.cacheStatus = { fwd: 'method' };
    record.upstream = origin;
    const target = await this.#connectTo({ ...authority, trusted }, socket, origin);
    this.#join(asked, target, origin);
  }

  /** The target's socket; a client that leaves, or a shutdown, gives it up. */
  async #connectTo(
    target: Authority & { readonly trusted: boolean },
    socket: Socket,
    origin: string,
  ): Promise<Socket> {
    const { open, isOwn, upstream } = this.#options;
    const left = new AbortController();
    const leave = (): void => left.abort();
    socket.once('close', leave);
    try {
      const opened = await open(target, AbortSignal.any([left.signal, this.#closing.signal]));
      if (this.#closing.signal.aborted || left.signal.aborted) opened.destroy();
      this.#refuseLate(left.signal);
      if (!isOwn(opened)) return opened;
      opened.destroy();
    } catch (error) {
      this.#refuseLate(left.signal);
      const failure = asGatewayError(error);
      const purpose = { ecosystem: 'none', kind: 'passthrough' as const };
      if (failure.origin === 'upstream') {
        upstream.upstreamFailure({ origin, code: failure.code, ...purpose });
      }
      throw failure;
    } finally {
      socket.off('close', leave);
    }
    throw new GatewayError('proxy_loop_detected', 'the tunnel leads to this gateway itself', {
      origin: 'client',
    });
  }

  /** Throws where nobody waits for the tunnel any more. */
  #refuseLate(left?: AbortSignal): void {
    if (left?.aborted) {
      throw new GatewayError('client_gone', 'the client left before there was a tunnel', {
        origin: 'client',
      });
    }
    if (this.#closing.signal.aborted) {
      throw new GatewayError('shutting_down', 'the gateway is shutting down', {
        origin: 'gateway',
      });
    }
  }

  /** Says that there is a tunnel. */
  #begin({ socket, record }: Asked): void {
    const { now, fields } = this.#options;
    record.status = 200;
    record.firstByteMs = now() - record.startedAt;
    // RFC 9110 section 9.3.6: neither Content-Length nor Transfer-Encoding.
    socket.write(`HTTP/1.1 200 Connection established\r\nVia: ${fields.via}\r\n\r\n`);
  }

  #join(asked: Asked, target: Socket, origin: string): void {
    const { socket, head, record } = asked;
    const { upstream, idleMs } = this.#options;
    this.#begin(asked);
    record.bytesSent = head.length;
    if (head.length > 0) target.write(head);
    const joined = new JoinedSockets(socket, target, {
      idleMs: idleMs(),
      sent: (bytes) => {
        record.bytesSent = (record.bytesSent ?? 0) + bytes;
      },
      received: (bytes) => {
        record.bytesOut += bytes;
        record.bytesIn += bytes;
        upstream.upstreamBytes(origin, bytes);
      },
    });
    this.#joined.add(joined);
    void joined.ended.then((end) => {
      this.#joined.delete(joined);
      noteEnd(record, end);
      this.#options.record(record);
    });
  }

  /** Throws for what is not a CONNECT that can be served. */
  #authorityOf(request: IncomingMessage): Authority {
    const wrong = malformation(request);
    if (wrong !== undefined) throw badRequest(wrong);
    // It has no content, and what follows its head is the tunnel's. RFC 9110 section 9.3.6.
    const length = fieldValue(request.rawHeaders, 'content-length');
    const coding = fieldValue(request.rawHeaders, 'transfer-encoding');
    if (coding !== undefined || (length !== undefined && Number(length) !== 0)) {
      throw badRequest('a CONNECT has no content');
    }
    if (this.#options.loops(fieldValue(request.rawHeaders, 'via'))) {
      throw new GatewayError('proxy_loop_detected', 'the request came from this gateway', {
        origin: 'client',
      });
    }
    const authority = parseAuthority(request.url ?? '');
    if (authority === undefined) throw badRequest('a CONNECT names host:port and nothing else');
    this.#refuseLate();
    return authority;
  }

  #refuse({ request, socket, record }: Asked, error: GatewayError): void {
    if (socket.destroyed) {
      record.aborted = true;
      record.error = error.code;
      record.detail = error.message;
      this.#options.record(record);
      return;
    }
    socket.once('close', () => this.#options.record(record));
    const { fields, now } = this.#options;
    new Reply(responseOn(socket, request), record, { fields, now }).fail(
      blameTheClient(error, record),
    );
  }
}

function noteEnd(record: RequestRecord, end: TunnelEnd): void {
  switch (end) {
    case 'whole':
      return;
    case 'client-broke':
      record.aborted = true;
      return;
    case 'target-broke':
      record.error = 'connection_terminated';
      record.detail = 'the target broke the tunnel off';
      return;
    case 'idle':
      record.detail = 'nothing moved in the tunnel for too long';
      return;
    case 'cut':
      record.error = 'shutting_down';
      record.detail = 'the shutdown ended the tunnel';
  }
}

function badRequest(message: string): GatewayError {
  return new GatewayError('http_request_error', message, { origin: 'client' });
}
