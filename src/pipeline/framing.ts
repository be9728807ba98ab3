import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';

/** Bytes of the body as its framing declares them; undefined: until its end. RFC 9112 section 6.3. */
export function declaredSize(headers: RawHeaders): number | undefined {
  if (fieldValue(headers, 'transfer-encoding') !== undefined) return undefined;
  const length = fieldValue(headers, 'content-length');
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}

/**
 * Whether a body that was cut off can be told from a whole one. Over TLS the end of the connection
 * alone does not say it. RFC 9112 section 8.
 */
export function showsItsEnd({
  headers,
  status,
  url,
}: Pick<UpstreamResponse, 'headers' | 'status' | 'url'>): boolean {
  return (
    declaredSize(headers) !== undefined ||
    fieldValue(headers, 'transfer-encoding') !== undefined ||
    status === 204 ||
    !url.startsWith('https:')
  );
}
