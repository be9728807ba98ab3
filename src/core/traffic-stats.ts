import type { SurfaceName } from './artifact-request.ts';
import type { ErrorCode } from './errors.ts';
import type { CacheOutcome } from './outcome.ts';
import type { RateLimit } from './rate-limit.ts';
import type { ResourceKind } from './request-record.ts';

/** Totals since the start, as `/api/stats` shows them. Bytes are those of bodies. */
export interface TrafficStats {
  readonly requests: {
    readonly total: number;
    /** Clients that left before the end of the body. */
    readonly aborted: number;
    readonly byOutcome: Readonly<Record<CacheOutcome, number>>;
    readonly bySurface: Readonly<Partial<Record<SurfaceName, number>>>;
    readonly byEcosystem: Readonly<Record<string, number>>;
    readonly byKind: readonly KindStats[];
    readonly errors: Readonly<Partial<Record<ErrorCode, number>>>;
  };
  readonly bytes: {
    readonly toClients: number;
    readonly fromUpstreams: number;
    /** What clients got beyond what was fetched; 0 while more has been fetched than asked for. */
    readonly saved: number;
  };
  /** Shares between 0 and 1; null before the first request that could be cached. */
  readonly hitRatio: {
    /** Requests that could be cached and needed no upstream request of their own. */
    readonly requests: number | null;
    /** Bytes of such requests, and of validated ones, among all that could be cached. */
    readonly bytes: number | null;
  };
  readonly upstreams: readonly UpstreamStats[];
}

/** One kind of resource of one ecosystem: `npm` tarballs are its `artifact`s. */
export interface KindStats {
  readonly ecosystem: string;
  readonly kind: ResourceKind | 'unknown';
  readonly requests: number;
  /** Client requests that were forwarded on their own account (a collapsed one was not). */
  readonly forwarded: number;
  /** Requests sent to upstreams: failed attempts, redirects and background validations included. */
  readonly upstreamRequests: number;
  readonly bytesToClients: number;
}

export interface UpstreamStats {
  /** `http://host:port`, or `other` for the origins beyond the bound. */
  readonly origin: string;
  readonly requests: number;
  readonly bytes: number;
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Mean time from a request to its head; null before the first. */
  readonly meanFirstByteMs: number | null;
  /** What it said last of its rate limit, and when (ISO 8601); absent where it never did. */
  readonly rateLimit?: RateLimit & { readonly at: string };
}
