import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** A response on its way to a client: what HTTP/1.1 (Node's own) and HTTP/2 have in common. */
export interface ClientResponse extends Writable {
  readonly req: IncomingMessage;
  readonly headersSent: boolean;
  /** Whether a `Date` is added where there is none. */
  sendDate: boolean;
  /** Whether the connection serves more requests; HTTP/2 decides that for itself. */
  shouldKeepAlive: boolean;
  readonly socket: Socket | null;
  /** An interim response, where Node can. */
  readonly writeInformation?: (status: number, headers: string[]) => unknown;
  /** `[name, value, …]` */
  writeHead(status: number, headers: string[]): unknown;
}
