import type { LogFields } from '../core/logger.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { redactText } from './redact.ts';

/**
 * The fields of a request's log line, redacted where they are not ours. Absent ones are undefined and not written. Times in
 * milliseconds to a tenth, bytes of bodies.
 */
export function requestLine(record: RequestRecord, durationMs: number): LogFields {
  const { cacheStatus } = record;
  return {
    method: redactText(record.method),
    target: redactText(record.target),
    surface: record.surface,
    mount: redacted(record.mount),
    ecosystem: record.ecosystem,
    kind: record.kind,
    outcome: record.outcome,
    status: record.status,
    bytesOut: record.bytesOut,
    bytesIn: record.bytesIn,
    bytesSent: record.bytesSent,
    upstream: redacted(record.upstream),
    mirror: redacted(record.mirror),
    upstreamFirstByteMs: tenths(record.upstreamFirstByteMs),
    firstByteMs: tenths(record.firstByteMs),
    durationMs: tenths(durationMs),
    error: record.error,
    detail: redacted(record.detail),
    client: redactText(record.client),
    aborted: record.aborted,
    fwd: cacheStatus.fwd,
    fwdStatus: cacheStatus.fwdStatus,
    ttl: cacheStatus.ttl,
    stored: cacheStatus.stored,
    collapsed: cacheStatus.collapsed,
  };
}

/** The same as members of a JSON object, redacted, without its braces. */
export function requestMembers(record: RequestRecord, durationMs: number): string {
  return JSON.stringify(requestLine(record, durationMs)).slice(1, -1);
}

function redacted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : redactText(text);
}

/** Rounded to a tenth. */
export function tenths(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10;
}
