import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { closed } from './joined-sockets.ts';

export interface SecureConnectionsOptions {
  /** Takes a connection on as its own protocol's server does. */
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
}

/**
 * Why a connection came to no request. `untrusted`: the client said that it does not take the
 * certificate; `left`: it left, perhaps for that reason.
 */
export type Unused = 'untrusted' | 'left' | 'failed';

/** A connection that is to be under TLS. */
export interface Beginning {
  /** Hears at most once, when the connection ends before there was any request. */
  readonly unused: (reason: Unused) => void;
  /** Where the client meant to go, `https://host:port`, when it was intercepted. */
  readonly origin?: string;
}

/** One certificate towards clients. */
export interface Terminator {
  /** Begins TLS on a connection. */
  take(raw: Socket, beginning: Beginning): void;
}

/** How long a client may take for a handshake; milliseconds. */
const handshakeMs = 60_000;

/** Alerts (RFC 8446 section 6.2) by which a client turns a certificate down, as OpenSSL names them. */
const untrusted =
  /ALERT_(?:UNKNOWN_CA|(?:BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_(?:REVOKED|EXPIRED|UNKNOWN))$/;

/** Ends TLS towards clients and hands on what is inside, HTTP/1.1 or HTTP/2 as they choose. */
export class SecureConnections {
  readonly #options: SecureConnectionsOptions;
  /** By the addresses of their ends: Node does not say which connection a handshake was of. */
  readonly #handshakes = new Map<string, { raw: Socket; beginning: Beginning }>();
  readonly #origins = new WeakMap<object, string>();
  readonly #used = new WeakSet<object>();

  constructor(options: SecureConnectionsOptions) {
    this.#options = options;
  }

  /** Where a request's connection was meant to go, when it was intercepted. */
  originFor(socket: object): string | undefined {
    this.#used.add(socket);
    return this.#origins.get(socket);
  }

  /** What shows this certificate (PEM, with what leads to its authority). */
  terminator(credentials: { readonly cert: string; readonly key: string }): Terminator {
    // It never listens: connections are given to it, as its documentation allows.
    const server = createServer({
      ...credentials,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: handshakeMs,
    });
    server.on('secureConnection', (socket) => this.#begin(socket, this.#over(endsOf(socket))));
    server.on('tlsClientError', (error, socket) => {
      this.#over(endsOf(socket))?.unused(reasonOf(error));
      socket.destroy();
    });
    return {
      take: (raw, beginning) => {
        const name = endsOf(raw);
        this.#handshakes.set(name, { raw, beginning });
        void closed(raw).then(() => {
          if (this.#handshakes.get(name)?.raw === raw) this.#over(name)?.unused('left');
        });
        // A client that leaves in the middle of its handshake would only be half gone.
        raw.allowHalfOpen = false;
        server.emit('connection', raw);
      },
    };
  }

  /** Ends what is in the middle of a handshake: the others belong to their servers. */
  close(): void {
    for (const { raw } of this.#handshakes.values()) raw.destroy();
  }

  /** The handshake is over, one way or the other. */
  #over(name: string): Beginning | undefined {
    const handshake = this.#handshakes.get(name);
    this.#handshakes.delete(name);
    return handshake?.beginning;
  }

  #begin(socket: TLSSocket, beginning: Beginning | undefined): void {
    if (beginning === undefined) {
      socket.destroy();
      return;
    }
    if (beginning.origin !== undefined) this.#origins.set(socket, beginning.origin);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      if (!this.#used.has(socket)) beginning.unused('left');
    });
    if (socket.alpnProtocol === 'h2') this.#options.http2(socket);
    else this.#options.http1(socket);
  }
}

function endsOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}

function reasonOf({ code = '' }: NodeJS.ErrnoException): Unused {
  if (untrusted.test(code)) return 'untrusted';
  // A client may also turn a certificate down by leaving.
  return code.startsWith('ERR_SSL_') ? 'failed' : 'left';
}
