import type { IncomingMessage } from 'node:http';
import type { RawHeaders } from '../core/raw-headers.ts';

/** All of a request that is looked at before it is clear where it leads. */
export interface RequestHead
  extends Pick<IncomingMessage, 'method' | 'url' | 'httpVersion' | 'socket'> {
  readonly rawHeaders: RawHeaders;
}
