import type { RequestRecord } from '../core/request-record.ts';

/**
 * Our metric in `Server-Timing` (W3C Server Timing): which mirror brought the response, and how long
 * it took to its first byte, such as `mirror; desc="mirror.example.com"; dur=41`. Undefined where
 * there was no choice, or where nothing was asked of an upstream.
 */
export function serverTimingField({
  mirror,
  upstreamFirstByteMs,
}: Pick<RequestRecord, 'mirror' | 'upstreamFirstByteMs'>): string | undefined {
  if (mirror === undefined) return undefined;
  const host = mirror.slice(mirror.indexOf('//') + 2);
  const field = `mirror; desc="${host}"`;
  return upstreamFirstByteMs === undefined ? field : `${field}; dur=${upstreamFirstByteMs}`;
}
