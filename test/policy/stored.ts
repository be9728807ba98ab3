import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import { formatHttpDate } from '../../src/policy/http-date.ts';
import type { PolicyOptions, RequestView } from '../../src/policy/policy-options.ts';

/** A whole second, so that Date is exact. */
export const t0 = Date.UTC(2026, 0, 15, 12, 0, 0);

export const options: PolicyOptions = {
  freshness: 'rfc9111',
  negativeTtl: 0,
  staleIfError: 0,
  staleOnDisconnect: true,
  storeSetCookie: 'explicit',
  storeServerErrors: true,
  targetedFields: ['millrace-cache-control', 'cdn-cache-control'],
};

export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** A flat header list; an array is several lines of one field. */
export function raw(fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    typeof value === 'string' ? [name, value] : value.flatMap((line) => [name, line]),
  );
}

export function get(fields: Fields = {}): RequestView {
  return { method: 'GET', headers: raw(fields) };
}

/** A 200 that was received at `t0` with a Date of that moment. */
export function stored(fields: Fields = {}, more: Partial<ArtifactMeta> = {}): ArtifactMeta {
  return {
    status: 200,
    headers: raw({ Date: formatHttpDate(t0), ...fields }),
    vary: [],
    requestTime: t0,
    responseTime: t0,
    body: { sha256: '0'.repeat(64), size: 3 },
    ...more,
  };
}

/** The time `seconds` after `t0`. */
export function at(seconds: number): number {
  return t0 + seconds * 1000;
}

/** An HTTP-date `seconds` from `t0`. */
export function date(seconds: number): string {
  return formatHttpDate(at(seconds));
}
