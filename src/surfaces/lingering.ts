import type { Duplex } from 'node:stream';

/** For so long at most; milliseconds. */
const lingerMs = 5_000;

/**
 * Connections that are ended while the client may still be sending. What it sends has to be read:
 * closing on unread bytes resets the connection, and a reset takes from the client what it has not
 * read yet of the answers. RFC 9112 section 9.6.
 */
export class Lingering {
  readonly #sockets = new WeakSet<Duplex>();

  /** Whether what comes on the connection is nobody's any more. */
  has(socket: Duplex): boolean {
    return this.#sockets.has(socket);
  }

  /** Ends it, with these bytes as the last; whoever reads it goes on, until the client has gone. */
  end(socket: Duplex, last = ''): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
    socket.once('close', () => clearTimeout(timer));
    socket.end(last);
    socket.resume();
  }
}
