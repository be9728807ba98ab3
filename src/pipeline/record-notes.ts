import { GatewayError } from '../core/errors.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Via } from './in-flight.ts';

/** Notes which upstream answered. */
export function noteVia(record: RequestRecord, via: Via): void {
  record.upstream = via.origin;
  if (via.mirror !== undefined) record.mirror = via.mirror;
  record.upstreamFirstByteMs = via.firstByteMs;
  record.cacheStatus.fwdStatus = via.status;
}

/** Notes that a body comes from an upstream, for this request or one before it. */
export function noteFill(record: RequestRecord, leader: boolean, storing: boolean): void {
  record.outcome = leader ? 'miss' : 'collapsed';
  if (leader) record.cacheStatus.stored = storing;
}

/** Notes why a stored response stands in for the upstream's. */
export function noteError(record: RequestRecord, error: unknown): void {
  if (!(error instanceof GatewayError)) return;
  record.error = error.code;
  record.detail = error.message;
  if (error.receivedStatus !== undefined) record.cacheStatus.fwdStatus = error.receivedStatus;
}

/** As `Cache-Status` says it; undefined for what never gets stale. */
export function wholeSeconds(ttl: number): number | undefined {
  return Number.isFinite(ttl) ? Math.floor(ttl) : undefined;
}
