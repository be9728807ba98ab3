import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';

/** Milliseconds that the upstream wants to be left alone; undefined: it does not say. RFC 9110 section 10.2.3. */
export function retryAfterMs(headers: RawHeaders, now: number): number | undefined {
  const value = fieldValue(headers, 'retry-after')?.trim();
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // Only an HTTP-date names a day; anything else that Date takes is none.
  const date = /^[A-Za-z]{3,9},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
