import type { ErrorCode } from './errors.ts';
import type { RateLimit } from './rate-limit.ts';
import type { ResourceKind } from './request-record.ts';

/** What an upstream request was for; absent where the caller does not know. */
export interface UpstreamPurpose {
  readonly ecosystem?: string;
  readonly kind?: ResourceKind;
}

/** The head of an upstream's response is here: one request sent, answered. */
export interface UpstreamResponseEvent extends UpstreamPurpose {
  /** `http://host:port` of the upstream that answered. */
  readonly origin: string;
  readonly status: number;
  /** From sending the request to its head. */
  readonly firstByteMs: number;
  /** What the response tells of a rate limit, and when; milliseconds since the epoch. */
  readonly rateLimit?: RateLimit & { readonly at: number };
}

/** An upstream request failed. */
export interface UpstreamFailureEvent extends UpstreamPurpose {
  readonly origin: string;
  readonly code: ErrorCode;
  /** true: the head had come (and was told to `upstreamResponse`) and the body broke off. */
  readonly responded?: boolean;
}

/**
 * Hears of every request that is sent to an upstream, attempts that failed, redirects and background
 * validations included: exactly one of `upstreamResponse` and `upstreamFailure` without `responded`.
 * Called on the hot path: it returns at once and never throws.
 */
export interface UpstreamObserver {
  upstreamResponse(event: UpstreamResponseEvent): void;
  upstreamFailure(event: UpstreamFailureEvent): void;
  /** Body bytes that arrived from the origin. */
  upstreamBytes(origin: string, bytes: number): void;
}
