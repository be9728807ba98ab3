import type { Readable } from 'node:stream';
import type { GatewayError } from '../core/errors.ts';
import type { InterimSink } from '../core/interim.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamPurpose } from '../core/upstream-observer.ts';

/** One request to one upstream. */
export interface UpstreamRequest {
  readonly method: string;
  /** Canonical absolute URL. */
  readonly url: string;
  /** Without `Host`, framing and hop-by-hop fields: the transport adds its own. */
  readonly headers: RawHeaders;
  readonly body?: Readable;
  /** false: private, link-local and loopback addresses are refused after name resolution. */
  readonly trusted: boolean;
  /** Another origin led here: no credentials of the gateway's own are added. */
  readonly redirected?: boolean;
  /** What it is for, told to the observer. */
  readonly purpose?: UpstreamPurpose;
  /** A large body, or one of the parallel parts of one: over a connection of its own. */
  readonly lane?: boolean;
  /** In place of the transport's own, where they are shorter; milliseconds. */
  readonly timeouts?: { readonly connectMs: number; readonly firstByteMs: number };
  /** Hears of what comes before the response; without it interim responses are passed over. */
  readonly onInterim?: InterimSink;
}

/** Receives a response body as it arrives; exactly one of `end` and `error` ends it. */
export interface BodySink {
  /** Takes the bytes; false asks the source to pause until `resume`. */
  data(chunk: Buffer): boolean;
  /** The body was complete by its framing (declared length or last chunk). */
  end(): void;
  error(error: GatewayError): void;
}

/** A response whose head is here and whose body waits until somebody consumes or aborts it. */
export interface UpstreamResponse {
  readonly status: number;
  /** As received, framing and hop-by-hop fields included. */
  readonly headers: RawHeaders;
  /** Origin (`http://host:port`) that answered. */
  readonly origin: string;
  /** The URL that answered, after redirects. */
  readonly url: string;
  /** Milliseconds since the epoch: request sent, head received. */
  readonly requestTime: number;
  readonly responseTime: number;
  /** Starts the flow; at most once. */
  consume(sink: BodySink): void;
  /**
   * Shows `take` the whole body where all of it is here, `size` bytes of it, and nobody has a say in when
   * it may be had; the bytes are its own until it returns. With true it has taken the body, and that is
   * over; with false, or where it was not asked, the body waits as before. Whether it was taken.
   */
  takeWhole(size: number, take: (body: Uint8Array) => boolean): boolean;
  resume(): void;
  /**
   * Nobody looks at a chunk of the body any more: its memory is read into again. At most once for
   * each chunk; what is kept is never given back.
   */
  giveBack(chunk: Uint8Array): void;
  /** Ends the exchange and its connection; harmless after the end. The sink hears nothing more. */
  abort(): void;
}

/**
 * Sends one request over a pooled connection. Rejects with a GatewayError of origin `upstream` when
 * there is no response head; timeouts are idle timeouts.
 */
export interface Transport {
  send(request: UpstreamRequest, signal?: AbortSignal): Promise<UpstreamResponse>;
  close(): Promise<void>;
}
