const label = '[a-z0-9]+(?:-[a-z0-9]+)*';
// One that begins with a digit might be the end of an address in another spelling.
const lastLabel = '[a-z][a-z0-9]*(?:-[a-z0-9]+)*';
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
// None that goes without saying, none that is too large.
const port = '(?:[1-9]\\d{3}|[1-5]\\d{4})';
/** Nearly all URLs are spelled that way already, which is seen here without parsing them. */
const usual = new RegExp(
  `^https?://(?:(?:${label}\\.)*${lastLabel}|${octet}(?:\\.${octet}){3})(?::${port})?/[^#]*$`,
);

/**
 * The one spelling of a URL that keys use: scheme and host in lower case, no default port, no
 * fragment, no credentials, path and query byte for byte. Returns undefined for what is not an
 * absolute http(s) URL with a host. RFC 9110 section 4.2.3.
 */
export function canonicalUrl(text: string): string | undefined {
  if (usual.test(text)) return text;
  const match = /^(https?):\/\/([^/?#]+)([^#]*)/i.exec(text);
  if (!match) return undefined;
  const [, scheme = '', authority = '', rest = ''] = match;
  if (!URL.canParse(`${scheme}://${authority}/`)) return undefined;
  const { protocol, host } = new URL(`${scheme}://${authority}/`);
  if (host === '') return undefined;
  return `${protocol}//${host}${rest.startsWith('/') ? rest : `/${rest}`}`;
}

/** `http://host:port` of a canonical URL. */
export function originOf(url: string): string {
  const slash = url.indexOf('/', url.indexOf('//') + 2);
  return slash === -1 ? url : url.slice(0, slash);
}

/** Path and query of a canonical URL, beginning with `/`. */
export function pathOf(url: string): string {
  const slash = url.indexOf('/', url.indexOf('//') + 2);
  return slash === -1 ? '/' : url.slice(slash);
}

/**
 * Whether a path (query allowed) holds a `.` or `..` segment, plain, percent-encoded or behind a
 * backslash: an upstream might resolve it to a place outside the mount.
 */
export function hasDotSegments(path: string): boolean {
  // Nearly no path can: a segment begins behind a slash, a backslash or an encoded one.
  if (!path.startsWith('.') && !/\/\.|[%\\]/.test(path)) return false;
  const query = path.indexOf('?');
  const plain = (query === -1 ? path : path.slice(0, query)).replace(/%2e/gi, '.');
  return /(^|[/\\]|%2f|%5c)\.{1,2}($|[/\\;]|%2f|%5c)/i.test(plain);
}
