import type { UpstreamTarget } from '../core/artifact-request.ts';
import type { Digest } from '../core/digest.ts';
import type { GatewayError } from '../core/errors.ts';
import type { InterimSink } from '../core/interim.ts';
import type { MirrorExplanation, MirrorFault } from '../core/mirror-figures.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamPurpose } from '../core/upstream-observer.ts';
import type { UpstreamResponse } from './upstream.ts';

export interface DownloadRequest {
  readonly method: string;
  /** Canonical; belongs to the first of `upstreams`, or stands alone. */
  readonly url: string;
  /**
   * As for the transport: without `Host`, framing and hop-by-hop fields. A `Range` of known ends is a
   * segment: where there is a choice, its answer is checked against it and a strong `If-Range`.
   */
  readonly headers: RawHeaders;
  readonly upstreams: readonly UpstreamTarget[];
  /** For `url` and the upstreams: private addresses are no obstacle. */
  readonly trusted: boolean;
  /** Only GET and HEAD are followed. */
  readonly redirects: 'follow' | 'forward';
  /** Fields (lower case) of a redirect's response that the one it leads to gets where it has none. */
  readonly keptFields?: readonly string[];
  /** `configured`: in that order, for documents that must be of one moment. Without it `measured`. */
  readonly order?: 'measured' | 'configured';
  /** The upstreams are no copies of each other: each is asked only where all before it have nothing. */
  readonly repositories?: boolean;
  /** What the whole object must have: mirrors of anybody may serve it then. */
  readonly digest?: Digest;
  /** Bytes of the whole object, where they are known. */
  readonly size?: number;
  /** What is asked instead of `url`. */
  readonly places?: Places;
  /** Origins that have another representation of this object; those that show it are added. */
  readonly avoid?: Set<string>;
  /** The same for the URL of a redirect to another origin, instead of the downloader's own. */
  readonly redirectTrusted?: (url: string) => boolean;
  /** One of the parallel parts of a large body: over a connection of its own. */
  readonly lane?: boolean;
  /** Passed on to the transport. */
  readonly purpose?: UpstreamPurpose;
  /** Hears of each request when its head or its failure is there. */
  readonly onAttempt?: (attempt: Attempt) => void;
  /** Hears of the interim responses of whoever is asked. */
  readonly onInterim?: InterimSink;
}

/** Where an object may be that need not be under one URL. */
export interface Places {
  /** Canonical, in the order in which to ask; each belongs to the first of the upstreams. */
  readonly urls: readonly string[];
  /** Bytes of the whole object: what declares another length is another one. */
  readonly size: number | undefined;
}

/** One request that was sent, and what became of it. */
export interface Attempt {
  readonly url: string;
  /** Status of the response, or the error instead of one. */
  readonly outcome: number | GatewayError;
}

/**
 * The response that was settled on, with the way to it. Its bytes and times are measured as they
 * come; it holds one of its mirror's places until it is consumed to its end or aborted.
 */
export interface DownloadedResponse extends UpstreamResponse {
  /** In the order in which they came; the last one is this response. */
  readonly attempts: readonly Attempt[];
  /** Origin of the mirror that was chosen; undefined where there was no choice. */
  readonly mirror: string | undefined;
  /** Says that its bytes were not what they should have been: others are preferred from now on. */
  demote(fault: MirrorFault): void;
}

export interface Downloader {
  /**
   * The first answer worth having: the mirrors in the order of their expected times, the next one
   * after an error that is retryable, a 429, 500, 502, 503 or 504, or an answer that is not the
   * segment asked for. Requests to one origin queue for its places. What the last upstream says
   * stands: its response whatever its status, or its error, a GatewayError. For a segment nobody is
   * waited for but the first mirror. Of repositories the next
   * one is asked after a 404 or 410 and nothing else: one that fails must not lend its names to
   * another. Of places the next one is asked where the object is not; where somebody has another one
   * and nobody this, `digest_mismatch` is thrown. There is no time limit to the whole.
   */
  fetch(request: DownloadRequest, signal?: AbortSignal): Promise<DownloadedResponse>;
  /** Over how many connections at once a body may come, of which `request` asks for a part. */
  connections(request: DownloadRequest): number;
  /** Origin of the mirror that `fetch` would ask now; undefined: it would have to wait for a place. */
  next(request: DownloadRequest): string | undefined;
  /** Which mirror `fetch` would ask now, and why; it changes nothing. */
  explain(request: DownloadRequest): MirrorExplanation;
}
