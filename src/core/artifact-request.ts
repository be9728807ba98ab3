import type { MirrorTrust } from './mirror-figures.ts';
import type { RawHeaders } from './raw-headers.ts';

/** The way a request came in; each is a label in the log and the metrics. */
export type SurfaceName = 'mount' | 'forward-proxy' | 'connect' | 'admin';

/** One equivalent source of a mount's artifacts. */
export interface UpstreamTarget {
  /** Absolute http(s) URL without query or fragment and without a trailing slash. */
  readonly url: string;
  /** Sent as `Authorization` to this upstream's own origin only, in place of the client's. */
  readonly authorization?: string;
  /** Requests to its origin at a time; more of them queue. */
  readonly concurrency?: number;
  /** Bytes per second from its origin. */
  readonly bandwidth?: number;
  /** Where it is; compared with the gateway's own. */
  readonly region?: string;
  /** Without it `full`. */
  readonly trust?: MirrorTrust;
}

/** What a surface makes of bytes on a socket: the same for every surface, for the same upstream URL. */
export interface ArtifactRequest {
  readonly surface: SurfaceName;
  /** As received; methods are case-sensitive. */
  readonly method: string;
  /** The canonical upstream URL (see `canonicalUrl`): the identity of the resource. */
  readonly url: string;
  /** End-to-end request fields as received: `Host`, hop-by-hop and proxy fields are gone. */
  readonly headers: RawHeaders;
  /** The mount's path (`/npm`), when a mount serves this resource, whichever way the request came. */
  readonly mount?: string;
  /** The mount's upstreams, first the one that `url` belongs to; empty: `url` alone. */
  readonly upstreams: readonly UpstreamTarget[];
  /** Public URL of the mount without a trailing slash; only where the client itself uses the mount. */
  readonly publicBase?: string;
  /** Private addresses are refused unless the operator configured or allowed the target. */
  readonly trusted: boolean;
  readonly ecosystem: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}
