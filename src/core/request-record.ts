import type { SurfaceName } from './artifact-request.ts';
import type { Classification } from './classification.ts';
import type { ErrorCode } from './errors.ts';
import type { CacheOutcome, ForwardReason } from './outcome.ts';

/** What an ecosystem says a resource is. */
export type ResourceKind = Classification['kind'];

/** The members of our `Cache-Status` entry. RFC 9211. */
export interface CacheStatus {
  hit?: boolean;
  fwd?: ForwardReason;
  /** Status of the upstream's answer. */
  fwdStatus?: number;
  /** Remaining freshness in whole seconds, negative when stale. */
  ttl?: number;
  stored?: boolean;
  collapsed?: boolean;
}

/**
 * All that is known of one request: made when its head arrives, filled in on its way, handed to
 * telemetry once when the last byte is gone or the client is. Times in milliseconds.
 */
export interface RequestRecord {
  surface: SurfaceName;
  readonly method: string;
  /** The request target as the client sent it, at most 2 KiB of it. */
  readonly target: string;
  readonly client: string;
  readonly startedAt: number;
  ecosystem: string;
  outcome: CacheOutcome;
  status: number;
  cacheStatus: CacheStatus;
  /** Body bytes handed to the client's socket. */
  bytesOut: number;
  /** Body bytes fetched from upstreams for this request; a follower of another's fill has none. */
  bytesIn: number;
  /** Bytes that a tunnel's client sent to its target. */
  bytesSent?: number;
  mount?: string;
  /** The key of the resource, for a client that may know it. */
  key?: string;
  /** Set once the request is classified. */
  kind?: ResourceKind;
  /** Origin (`http://host:port`) of the upstream that answered. */
  upstream?: string;
  /** The mirror that was chosen among several: `upstream`, or what redirected there. */
  mirror?: string;
  /** From sending the upstream request to its head. */
  upstreamFirstByteMs?: number;
  firstByteMs?: number;
  durationMs?: number;
  /** The client went away before the end of the body. */
  aborted?: boolean;
  error?: ErrorCode;
  /** One sentence for the operator: why it was refused, failed, bypassed or served stale. */
  detail?: string;
}
