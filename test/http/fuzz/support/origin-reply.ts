import type { Random } from './random.ts';
import type { ExactResource } from './resources.ts';
import type { StrictRequest } from './strict-request.ts';

/** What the origin sends: pieces with pauses (milliseconds) between them, and what comes after. */
export interface OriginReply {
  readonly pieces: readonly (string | Uint8Array | number)[];
  readonly after: 'keep' | 'close' | 'reset' | 'hang' | 'tunnel';
}

/** A request to a resource whose bytes are known, and the choices for its reply. */
export interface Question {
  readonly request: StrictRequest;
  readonly resource: ExactResource;
  readonly random: Random;
  /** End-to-end fields, each line with its CRLF. */
  readonly fields: string;
  /** The body as this method gets it. */
  sent(body: Uint8Array): Uint8Array;
}
