import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';

/** Bytes of the body as its framing declares them; undefined: until its end. RFC 9112 section 6.3. */
export function declaredSize(headers: RawHeaders): number | undefined {
  if (fieldValue(headers, 'transfer-encoding') !== undefined) return undefined;
  const length = fieldValue(headers, 'content-length');
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}
