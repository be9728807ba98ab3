import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Routed } from './gateway-handler.ts';

type Handle = (
  request: IncomingMessage,
  response: ServerResponse,
  known: Routed | undefined,
) => void;

/** Requests of one connection that are worked on at the same time: apt sends ten ahead. */
const atOnce = 16;
/** Requests that one connection may have open. More come from a client that does not read. */
const atMost = 1000;

interface Connection {
  open: number;
  /** Whether an answer will be the last: what came behind its request is not looked at. */
  ending: boolean;
  readonly waiting: [IncomingMessage, ServerResponse, Routed | undefined][];
}

/**
 * The requests that clients send ahead of their answers. RFC 9112 section 9.3.2. Node parses all that
 * a connection brings and bounds only the answers that are ready: a client that does not read them
 * would otherwise fill the memory with requests.
 */
export class Pipelining {
  readonly #handle: Handle;
  readonly #connections = new WeakMap<Duplex, Connection>();

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** Takes a request as it is parsed, and hands it on at once or when others are answered; `known`: of it. */
  take(request: IncomingMessage, response: ServerResponse, known?: Routed): void {
    const { socket } = request;
    // What was in the same packet as the request too many.
    if (socket.destroyed) return;
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = { open: 0, ending: false, waiting: [] };
      this.#connections.set(socket, connection);
    }
    const { open, waiting } = connection;
    if (open + waiting.length >= atMost) {
      socket.destroy();
      return;
    }
    waiting.push([request, response, known]);
    this.#startNext(connection);
  }

  #startNext(connection: Connection): void {
    const { waiting } = connection;
    while (waiting[0] !== undefined && connection.open < atOnce && !connection.ending) {
      const [request, response, known] = waiting[0];
      if (request.socket.destroyed) return;
      const expected = expectsContinue(request);
      // Node writes an interim answer that has to wait for others behind the final one's head.
      if (expected && connection.open > 0) return;
      waiting.shift();
      connection.open += 1;
      response.once('close', () => {
        connection.open -= 1;
        this.#startNext(connection);
      });
      if (expected) response.writeContinue();
      if (saysClose(request)) response.shouldKeepAlive = false;
      this.#handle(request, response, known);
      // It asked for that, or was refused. RFC 9112 section 9.6.
      connection.ending = !response.shouldKeepAlive;
    }
  }
}

/** RFC 9110 section 10.1.1: nothing that HTTP/1.0 says counts. */
function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect?.trim().toLowerCase() === '100-continue';
}

/** RFC 9112 section 9.3: `close` outweighs `keep-alive`; to Node's parser, in HTTP/1.0, it does not. */
function saysClose({ headers }: IncomingMessage): boolean {
  return (
    headers.connection !== undefined && /(^|,)[ \t]*close[ \t]*(,|$)/i.test(headers.connection)
  );
}
