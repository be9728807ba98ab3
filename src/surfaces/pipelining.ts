import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Requests of one connection that are worked on at the same time: apt sends ten ahead. */
const atOnce = 16;
/** Requests that one connection may have open. More come from a client that does not read. */
const atMost = 1000;

interface Connection {
  open: number;
  readonly waiting: [IncomingMessage, ServerResponse][];
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

  /** Takes a request as it is parsed, and hands it on at once or when others are answered. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // What was in the same packet as the request too many.
    if (socket.destroyed) return;
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = { open: 0, waiting: [] };
      this.#connections.set(socket, connection);
    }
    if (connection.open < atOnce) this.#start(connection, request, response);
    else if (connection.open + connection.waiting.length < atMost) {
      connection.waiting.push([request, response]);
    } else socket.destroy();
  }

  #start(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    connection.open += 1;
    response.once('close', () => {
      connection.open -= 1;
      const next = connection.waiting.shift();
      if (next !== undefined && !request.socket.destroyed) this.#start(connection, ...next);
    });
    this.#handle(request, response);
  }
}
