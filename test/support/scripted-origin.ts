import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Step } from './replies.ts';
import { type RecordedRequest, RequestReader } from './request-reader.ts';

/** One expected request and the reply it gets. */
export class Script {
  readonly method: string;
  readonly target: string;
  readonly steps: readonly Step[];
  /** Resolves with the request when it came. */
  readonly requested: Promise<RecordedRequest>;
  /** Resolves when the connection that carried it is closed, by whichever side. */
  readonly disconnected: Promise<void>;
  used = false;
  #releases = 0;
  #wake: (() => void) | undefined;
  #resolveRequested: (request: RecordedRequest) => void;
  #resolveDisconnected: () => void;

  constructor(method: string, target: string, steps: readonly Step[]) {
    this.method = method;
    this.target = target;
    this.steps = steps;
    const requested = Promise.withResolvers<RecordedRequest>();
    const disconnected = Promise.withResolvers<void>();
    this.requested = requested.promise;
    this.disconnected = disconnected.promise;
    this.#resolveRequested = requested.resolve;
    this.#resolveDisconnected = disconnected.resolve;
  }

  /** Lets the reply pass one `hold`, now or when it gets there. */
  release(): void {
    this.#releases += 1;
    this.#wake?.();
  }

  /** Plays the reply; whether the connection may carry another request. */
  async play(socket: Socket, request: RecordedRequest): Promise<boolean> {
    this.used = true;
    socket.once('close', () => {
      this.#resolveDisconnected();
      this.#wake?.();
    });
    this.#resolveRequested(request);
    for (const step of this.steps) {
      if (socket.destroyed) return false;
      if (typeof step === 'string') socket.write(step, 'latin1');
      else if (step instanceof Uint8Array) socket.write(step);
      else if (step.act === 'hold') await this.#held(socket);
      else {
        if (step.act === 'close') socket.end();
        if (step.act === 'reset') socket.resetAndDestroy();
        return false;
      }
    }
    return !socket.destroyed;
  }

  async #held(socket: Socket): Promise<void> {
    while (this.#releases === 0 && !socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#releases -= 1;
  }
}

/** A raw TCP (or TLS) server on loopback that answers expected requests with exact bytes. */
export class ScriptedOrigin {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** All requests in order of arrival, unexpected ones included. */
  readonly requests: RecordedRequest[] = [];
  /** Connections accepted so far. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #scripts: Script[] = [];
  readonly #problems: string[] = [];

  constructor(server: Server, scheme: 'http' | 'https') {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `${scheme}://127.0.0.1:${this.port}`;
    server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
      void this.#serve(socket);
    });
  }

  /** Sockets that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /**
   * Expects one request with this method and request target; equal ones are answered in the order
   * of their scripts. Without steps that end it the connection stays open for another request.
   */
  expect(method: string, target: string, ...steps: readonly Step[]): Script {
    const script = new Script(method, target, steps);
    this.#scripts.push(script);
    return script;
  }

  /** Throws when a script was not used or a request was not expected. */
  verify(): void {
    const unused = this.#scripts
      .filter((script) => !script.used)
      .map((script) => `script not used: ${script.method} ${script.target}`);
    const problems = [...this.#problems, ...unused];
    if (problems.length > 0) throw new Error(`scripted origin: ${problems.join('; ')}`);
  }

  /** Closes the listener and every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    // A client that breaks the connection is part of many scripts; `close` follows.
    socket.on('error', () => socket.destroy());
    const reader = new RequestReader(socket, this.connections);
    for (;;) {
      const request = await reader.next();
      if (request === undefined) return;
      this.requests.push(request);
      const script = this.#scripts.find(
        (candidate) =>
          !candidate.used &&
          candidate.method === request.method &&
          candidate.target === request.target,
      );
      if (script === undefined) {
        this.#problems.push(`unexpected request: ${request.method} ${request.target}`);
        socket.end('HTTP/1.1 500 Unexpected\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      if (!(await script.play(socket, request))) return;
    }
  }
}

/** Starts one; the caller verifies and closes it. With `tls` it speaks HTTPS. */
export async function startScriptedOrigin(tls?: {
  readonly key: string;
  readonly cert: string;
}): Promise<ScriptedOrigin> {
  const server = tls === undefined ? createServer() : createTlsServer(tls);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new ScriptedOrigin(server, tls === undefined ? 'http' : 'https');
}

/** One for the running test: closed, and verified, when the test is finished. */
export async function scriptedOrigin(tls?: {
  readonly key: string;
  readonly cert: string;
}): Promise<ScriptedOrigin> {
  const origin = await startScriptedOrigin(tls);
  onTestFinished(async () => {
    await origin.close();
    origin.verify();
  });
  return origin;
}
