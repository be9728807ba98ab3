import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyServer, type ProxyServer, type ServerOptions } from 'http-proxy-3';
import { GatewayError } from '../core/errors.ts';
import { fieldLines, fieldValue } from '../core/raw-headers.ts';
import type { ClientResponse } from './client-response.ts';
import { debugField } from './debug-field.ts';
import { type Forwarding, forward } from './passthrough-answer.ts';

export interface PassthroughOptions {
  /** Its connections refuse private addresses unless `trusted`. */
  readonly agentFor: (url: string, trusted: boolean) => Agent;
  /** Milliseconds without a byte either way. */
  readonly idleTimeoutMs: number;
  readonly toGatewayError: (error: unknown) => GatewayError;
}

/** One request that is proxied untouched. */
export interface PassthroughTarget {
  readonly url: string;
  readonly trusted: boolean;
  /** In place of the client's own. */
  readonly authorization?: string;
  /** The combined `Via` to send. */
  readonly via: string;
  /** The `Max-Forwards` to send, where there is one that counts. */
  readonly maxForwards?: number;
}

export interface Joining extends Forwarding {
  /** The upstream has switched protocols. */
  readonly joined: () => void;
  readonly failed: (error: GatewayError) => void;
}

/** A client's connection that is to speak another protocol. */
export interface UpgradedConnection {
  readonly socket: Socket;
  /** Its first bytes. */
  readonly head: Buffer;
  /** For an answer in HTTP. */
  readonly response: ServerResponse;
}

/** Field names that concern one hop only, as `IncomingMessage.headers` spells them. */
const perHop = [
  'keep-alive',
  'te',
  'trailer',
  'expect',
  'proxy-connection',
  'proxy-authorization',
  debugField,
];

/** What `Connection` may list to no effect: without these the message would be another one. */
const kept: ReadonlySet<string> = new Set([
  '',
  'upgrade',
  'host',
  'content-length',
  'transfer-encoding',
]);

/** Proxies what the cache has no part in: publishing, searches, upgrades. */
export class Passthrough {
  readonly #options: PassthroughOptions;
  readonly #upgraded = new Set<Socket>();

  constructor(options: PassthroughOptions) {
    this.#options = options;
  }

  /**
   * Forwards a request with its body. Resolves when the response
   * is through, rejects with a GatewayError when it is not to be had, or breaks off.
   */
  async web(
    request: IncomingMessage,
    response: ClientResponse,
    target: PassthroughTarget,
    on: Forwarding,
  ): Promise<void> {
    try {
      await forward(await this.#exchange(request, response, target, on), response, on);
    } catch (error) {
      throw this.#options.toGatewayError(error);
    }
  }

  /**
   * Joins a client's upgraded connection (WebSocket) to the upstream's and calls `joined`; what else
   * the upstream answers is forwarded as `web` does it. `failed` hears at once of what breaks, while
   * the connection may still take an answer: after that it is closed.
   */
  upgrade(
    request: IncomingMessage,
    { socket, head, response }: UpgradedConnection,
    target: PassthroughTarget,
    on: Joining,
  ): void {
    const proxy = this.#proxy();
    this.#prepare(request, target);
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    // A half of such a connection is of no use: when one side ends, both do.
    socket.once('end', () => socket.destroy());
    let over = false;
    const fail = (error: unknown): void => {
      over = true;
      on.failed(this.#options.toGatewayError(error));
    };
    proxy.once('open', (upstream) => {
      // The protocol that is spoken from now on may be silent for as long as it likes.
      upstream.setTimeout(0);
      on.joined();
      upstream.once('end', () => upstream.destroy());
      upstream.once('close', () => socket.destroy());
      socket.once('close', () => upstream.destroy());
    });
    proxy.once('proxyReqWs', (outgoing: ClientRequest) => {
      socket.once('close', () => outgoing.destroy());
      outgoing.setTimeout(this.#options.idleTimeoutMs);
      let answered: IncomingMessage | undefined;
      outgoing.once('timeout', () => (answered ?? outgoing).destroy(stalled()));
      const answer = (upstream: IncomingMessage): void => {
        answered = upstream;
        // Node may parse what was in flight when the connection broke.
        if (over) upstream.destroy();
        else forward(upstream, response, on).catch(fail);
      };
      // http-proxy-3 forwards such an answer without regard to a slow client, or to its breaking off.
      queueMicrotask(() => outgoing.removeAllListeners('response').once('response', answer));
    });
    // The client's own socket broke: http-proxy-3 says so here, and throws where nobody listens.
    proxy.on('error', fail);
    proxy.ws(request, socket, head, this.#settings(target), fail);
  }

  /** Ends the upgraded connections, which do not end by themselves. */
  close(): void {
    for (const socket of this.#upgraded) socket.destroy();
  }

  #exchange(
    request: IncomingMessage,
    response: ClientResponse,
    target: PassthroughTarget,
    { interim }: Forwarding,
  ): Promise<IncomingMessage> {
    const proxy = this.#proxy();
    this.#prepare(request, target);
    return new Promise((resolve, reject) => {
      proxy.once('proxyRes', resolve);
      proxy.once('proxyReq', (outgoing: ClientRequest) => {
        outgoing.setNoDelay(true);
        outgoing.on('information', ({ statusCode, rawHeaders }) => interim(statusCode, rawHeaders));
        // http-proxy-3 ends the request then, and Node the body in order, without what was not read yet.
        outgoing.once('response', (upstream) => {
          outgoing.once('timeout', () => upstream.destroy(stalled()));
        });
        // RFC 9110 section 15.2.2: nobody asked for another protocol.
        outgoing.once('upgrade', (_answer, socket) => {
          socket.destroy();
          reject(unaskedUpgrade());
        });
      });
      // Of what only HTTP/1.1 has it asks nothing when it is not to answer itself.
      proxy.web(request, response as ServerResponse, this.#settings(target), reject);
    });
  }

  /** One for each request: its events carry no other way to tell them apart. */
  #proxy(): ProxyServer {
    const proxy = createProxyServer({ selfHandleResponse: true, xfwd: false });
    proxy.before('web', 'stream', keepFraming);
    return proxy;
  }

  #settings({ url, trusted }: PassthroughTarget): ServerOptions {
    return {
      target: url,
      agent: this.#options.agentFor(url, trusted),
      ignorePath: true,
      changeOrigin: true,
      selfHandleResponse: true,
      proxyTimeout: this.#options.idleTimeoutMs,
    };
  }

  /** http-proxy-3 forwards `headers` as they are: what concerns this hop alone is taken out first. */
  #prepare(
    { headers, method }: IncomingMessage,
    { authorization, via, maxForwards }: PassthroughTarget,
  ): void {
    const upgrade = headers.upgrade;
    for (const name of (headers.connection ?? '').split(',')) {
      const listed = name.trim().toLowerCase();
      if (!kept.has(listed)) delete headers[listed];
    }
    for (const name of perHop) delete headers[name];
    if (upgrade === undefined || method !== 'GET') {
      delete headers.upgrade;
      delete headers.connection;
    } else {
      headers.connection = 'upgrade';
    }
    if (authorization !== undefined) headers.authorization = authorization;
    headers.via = via;
    if (maxForwards !== undefined) headers['max-forwards'] = String(maxForwards);
  }
}

/**
 * http-proxy-3 makes the body of a DELETE or OPTIONS without a length an empty one and then sends it
 * all the same: on the connection to the upstream that would be a second request. The message keeps
 * the framing that it came with. RFC 9112 section 6.3: with neither field it has no body.
 */
function keepFraming({ headers, rawHeaders }: IncomingMessage): void {
  const coding = fieldValue(rawHeaders, 'transfer-encoding');
  const length = fieldLines(rawHeaders, 'content-length')[0];
  delete headers['transfer-encoding'];
  delete headers['content-length'];
  if (coding !== undefined) headers['transfer-encoding'] = coding;
  else if (length !== undefined) headers['content-length'] = length;
}

function stalled(): GatewayError {
  return new GatewayError('connection_read_timeout', 'nothing moved for too long', {
    origin: 'upstream',
  });
}

function unaskedUpgrade(): GatewayError {
  return new GatewayError('http_protocol_error', 'the upstream switched protocols unasked', {
    origin: 'upstream',
  });
}
