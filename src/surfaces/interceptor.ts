import type { Socket } from 'node:net';
import type { RequestRecord } from '../core/request-record.ts';
import type { Authority } from './authority.ts';
import type { Terminator, Unused } from './secure-connections.ts';

export interface InterceptorOptions {
  /** What to be for a client that means this host; undefined where it is not to be intercepted. */
  readonly terminatorFor: (authority: Authority) => (() => Promise<Terminator>) | undefined;
  /** Takes the record of a tunnel that came to no request. */
  readonly record: (record: RequestRecord) => void;
}

/**
 * Tunnels that end here: what the client says in them is a request like any other, to the host that
 * it meant. Each request has a line of its own; the tunnel has one only where there was none.
 */
export class Interceptor {
  readonly #options: InterceptorOptions;

  constructor(options: InterceptorOptions) {
    this.#options = options;
  }

  /** Whether tunnels to there end here. */
  intercepts(authority: Authority): boolean {
    return this.#options.terminatorFor(authority) !== undefined;
  }

  /** Takes the client's connection; `begin` says that the tunnel is there. Rejects before that. */
  async take(
    { socket, head, record }: { socket: Socket; head: Buffer; record: RequestRecord },
    authority: Authority,
    origin: string,
    begin: () => void,
  ): Promise<void> {
    const terminator = await this.#options.terminatorFor(authority)?.();
    if (terminator === undefined || socket.destroyed) return;
    begin();
    if (head.length > 0) socket.unshift(head);
    terminator.take(socket, {
      origin,
      unused: (reason) => {
        note(record, reason, authority.hostname);
        this.#options.record(record);
      },
    });
  }
}

const remedy =
  '`millrace ca export` gives the certificate that the client has to trust, as with npm config set cafile, NODE_EXTRA_CA_CERTS, PIP_CERT, CARGO_HTTP_CAINFO or SSL_CERT_FILE; `millrace ca install` puts it into the store of the system';

function note(record: RequestRecord, reason: Unused, host: string): void {
  switch (reason) {
    case 'untrusted':
      record.outcome = 'failed';
      record.error = 'tls_certificate_error';
      record.detail = `the client does not trust the certificate for ${host}: ${remedy}`;
      return;
    case 'failed':
      record.outcome = 'failed';
      record.error = 'tls_protocol_error';
      record.detail = `no TLS with the client that meant ${host}`;
      return;
    case 'left':
      record.aborted = true;
      record.detail = `the client left without a request to ${host}; if it does not trust the certificate, ${remedy}`;
  }
}
