import { type IncomingMessage, Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * An HTTP server that calls no connection idle before its answers have left: to Node one is as soon as
 * they are ended, though a slow client has still to take them.
 */
export class PatientServer extends Server {
  /** The connections that it reads, and the last response on each. */
  readonly #open = new Map<Duplex, ServerResponse | undefined>();
  readonly #sends: (socket: Duplex) => boolean;

  /** `sends`: whether an answer that is none of its own is under way on a connection. */
  constructor(
    options: ServerOptions,
    take: (request: IncomingMessage, response: ServerResponse) => void,
    sends: (socket: Duplex) => boolean,
  ) {
    super(options, take);
    this.#sends = sends;
    this.on('connection', (socket: Socket) => {
      this.#open.set(socket, undefined);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** A response has begun. */
  began(response: ServerResponse): void {
    this.#open.set(response.req.socket, response);
  }

  /** The last response on a connection, while it is under way. */
  current(socket: Duplex): ServerResponse | undefined {
    const response = this.#open.get(socket);
    return response?.closed ? undefined : response;
  }

  /** The connection is not HTTP's any more. */
  gaveUp(socket: Duplex): void {
    this.#open.delete(socket);
  }

  /**
   * Node calls it, too, when it stops listening. Half a head is no request yet: whoever sent it may ask
   * again. RFC 9112 section 9.3.1.
   */
  override closeIdleConnections(): void {
    for (const socket of this.#open.keys()) {
      const idle = this.current(socket) === undefined && socket.writableLength === 0;
      if (idle && !this.#sends(socket)) socket.destroy();
    }
  }
}
