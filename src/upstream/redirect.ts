import { canonicalUrl } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldLines } from '../core/raw-headers.ts';
import type { UpstreamResponse } from './upstream.ts';

/** RFC 9110 section 15.4: those that point a GET or HEAD at another place. */
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The most redirects that are followed one after the other. */
export const maxRedirects = 5;

/**
 * Where a response to a GET or HEAD points: a canonical URL, or undefined when it is no redirect.
 * Throws `http_protocol_error` for a `Location` that leads nowhere and `http_request_denied` for one
 * that leaves TLS.
 */
export function redirectTarget({ status, headers, url }: UpstreamResponse): string | undefined {
  if (!redirectStatuses.has(status)) return undefined;
  const [location, ...others] = fieldLines(headers, 'location');
  if (location === undefined) return undefined;
  // Bytes beyond ASCII stay the bytes they are.
  const reference = location.replace(
    /[\u0080-\u00ff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const target =
    others.length === 0 && URL.canParse(reference, url)
      ? canonicalUrl(new URL(reference, url).href)
      : undefined;
  if (target === undefined) {
    throw new GatewayError('http_protocol_error', 'the redirect leads to no http or https URL', {
      origin: 'upstream',
      retryable: true,
    });
  }
  if (url.startsWith('https:') && target.startsWith('http:')) {
    throw new GatewayError('http_request_denied', 'the redirect leads from https to http', {
      origin: 'upstream',
      retryable: true,
    });
  }
  return target;
}
