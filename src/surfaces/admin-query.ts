import { canonicalUrl } from '../core/canonical-url.ts';
import type { AdminPurge } from './admin-view.ts';

/** A parsed value, or what is wrong with the request and what would be right. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly detail: string };

const selectors = ['url', 'prefix', 'mount'] as const;
type SelectorName = (typeof selectors)[number];

/** The canonical URL of `?url=`. */
export function parseUrlQuery(query: string): Parsed<string> {
  const parameters = parseQuery(query);
  if (!parameters.ok) return parameters;
  const [only, ...others] = parameters.value;
  if (only?.[0] !== 'url' || others.length > 0) {
    return wrong('Give exactly one parameter: ?url=<the upstream URL of the resource>.');
  }
  return parseUrl('url', only[1]);
}

/** Exactly one of `?url=`, `?prefix=` and `?mount=`. */
export function parsePurgeQuery(query: string): Parsed<AdminPurge> {
  const parameters = parseQuery(query);
  if (!parameters.ok) return parameters;
  const [only, ...others] = parameters.value;
  if (only === undefined || others.length > 0 || !isSelector(only[0])) {
    return wrong(
      'Give exactly one parameter: ?url=<upstream URL>, ?prefix=<beginning of an upstream URL> or ?mount=<path of a mount>.',
    );
  }
  const [name, text] = only;
  if (name === 'mount') {
    return text.startsWith('/')
      ? { ok: true, value: { mount: text } }
      : wrong(`mount is a mount's path and begins with a slash, such as /npm; it was: ${text}`);
  }
  const url = parseUrl(name, text);
  if (!url.ok) return url;
  return { ok: true, value: name === 'url' ? { url: url.value } : { prefix: url.value } };
}

function parseUrl(name: string, text: string): Parsed<string> {
  const url = canonicalUrl(text);
  return url === undefined
    ? wrong(`${name} is an absolute http(s) URL of an upstream; it was: ${text}`)
    : { ok: true, value: url };
}

/** Unlike a form's, this query keeps `+`: it is common in the names of packages. */
function parseQuery(query: string): Parsed<[name: string, value: string][]> {
  const parameters: [string, string][] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    if (/%(?![0-9a-f]{2})/i.test(part)) return wrong('A % in the query is not percent-encoded.');
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    const value = equals === -1 ? '' : part.slice(equals + 1);
    parameters.push([decode(name), decode(value)]);
  }
  return { ok: true, value: parameters };
}

/** Bytes that are not UTF-8 become U+FFFD: then no stored URL matches, and nothing throws. */
function decode(text: string): string {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return bytes === text ? text : Buffer.from(bytes, 'latin1').toString();
}

function isSelector(name: string): name is SelectorName {
  return (selectors as readonly string[]).includes(name);
}

function wrong(detail: string): { readonly ok: false; readonly detail: string } {
  return { ok: false, detail };
}
