import type { RawHeaders } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Fill } from './fill.ts';
import type { Resource } from './resource.ts';

/** Who asked, as far as the pipeline has to do with it. */
export interface Client {
  /** Aborts when the client is gone: it ends an exchange for this client alone, never a shared one. */
  readonly left: AbortSignal;
  /** The same object for all requests of one connection. */
  readonly connection: object | undefined;
  /** Passes an interim response on. */
  interim(status: number, headers: RawHeaders): void;
}

/** One request on its way through the pipeline. */
export interface Asking {
  readonly resource: Resource;
  readonly record: RequestRecord;
  readonly client: Client;
  /** Exchanges that had ended before the look-up. */
  readonly since: number;
  /** The document that decided what the resource has to be, where one did. */
  readonly pinnedBy: Resource | undefined;
  /** The version of that document which the resource has to fit, where nothing but time tells. */
  readonly fits: string | undefined;
  /** Fills that it is about to read. */
  readonly held: Fill[];
}

/** Keeps a fill for the request until that has its answer. */
export function hold({ held }: Asking, fill: Fill): void {
  if (held.includes(fill)) return;
  held.push(fill);
  fill.hold();
}
