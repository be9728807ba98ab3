import { canonicalUrl, hasDotSegments, originOf, pathOf } from '../core/canonical-url.ts';
import { fieldLines, type RawHeaders } from '../core/raw-headers.ts';

/** RFC 9110 section 9.2.1; every other method, an unknown one too, may have changed something. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Whether an exchange invalidates stored responses: not a safe method, no error. RFC 9111 section 4.4. */
export function invalidates(method: string, status: number): boolean {
  return !safeMethods.has(method) && status >= 200 && status <= 399;
}

/**
 * The canonical URLs to invalidate after an exchange with `url` (canonical): itself, then those of
 * Location and Content-Location that are of the same origin. RFC 9111 section 4.4.
 */
export function invalidatedUrls(url: string, headers: RawHeaders): readonly string[] {
  const urls = new Set([url]);
  for (const name of ['location', 'content-location']) {
    for (const reference of fieldLines(headers, name)) {
      const target = resolveReference(reference.trim(), url);
      if (target !== undefined && originOf(target) === originOf(url)) urls.add(target);
    }
  }
  return [...urls];
}

/** The canonical URL of a URI reference, path and query byte for byte where they need no resolving; undefined for none. */
export function resolveReference(reference: string, base: string): string | undefined {
  const absolute = /^https?:\/\//i.test(reference)
    ? reference
    : reference.startsWith('//')
      ? `${base.slice(0, base.indexOf('//'))}${reference}`
      : reference.startsWith('/')
        ? `${originOf(base)}${reference}`
        : undefined;
  const target = absolute === undefined ? undefined : canonicalUrl(absolute);
  if (target !== undefined && !hasDotSegments(pathOf(target))) return target;
  // RFC 3986 section 5.2: relative paths and dot segments.
  return URL.canParse(reference, base) ? canonicalUrl(new URL(reference, base).href) : undefined;
}
