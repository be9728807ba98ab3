import type { FreshnessRule } from '../core/classification.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { SetCookieRule } from '../core/store-rules.ts';

export interface RequestView {
  readonly method: string;
  readonly headers: RawHeaders;
}

/** What a mount says about its responses beside what they say themselves. */
export interface PolicyOptions {
  /** `forever` holds for a 200 only; other statuses follow the response. */
  readonly freshness: FreshnessRule;
  /** Seconds a 404 or 410 without explicit freshness is fresh. */
  readonly negativeTtl: number;
  /** Seconds a stale response may stand in for an error where it does not say itself; 0: none. */
  readonly staleIfError: number;
  /** Whether it may also stand in where no answer came at all. RFC 9111 section 4.2.4. */
  readonly staleOnDisconnect: boolean;
  /** Whether a 429 counts as such an error: the upstream would answer, but not this gateway now. */
  readonly staleIfThrottled?: boolean;
  readonly storeSetCookie: SetCookieRule;
  /** Whether a 5xx is stored as any other response is; false: never. */
  readonly storeServerErrors: boolean;
  /**
   * Seconds a 200 without explicit freshness is fresh; undefined: a tenth of the age that
   * `Last-Modified` tells. RFC 9111 section 4.2.2 leaves the algorithm open.
   */
  readonly defaultTtl?: number;
  /**
   * Lower-case names of RFC 9213 fields, by precedence. Give the same list each time: what was read
   * of a stored response is remembered with it.
   */
  readonly targetedFields: readonly string[];
}
