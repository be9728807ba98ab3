import { canonicalUrl, hasDotSegments, originOf, pathOf } from '../core/canonical-url.ts';

const prefix = '/-/at/';

/** A mount's files on other hosts than its upstream's, or outside the upstream's path. */
export interface FilePlaces {
  /** Canonical URL of the mount's upstream, without a trailing slash. */
  readonly upstreamUrl: string;
  /** Public URL of the mount, without a trailing slash. */
  readonly publicBase: string;
  /** Other hosts (lower case, with a port where it is not the scheme's) whose files are served. */
  readonly hosts: readonly string[];
  /** Whether a path (query allowed) outside the upstream is that of a file to be served. */
  readonly isFile: (path: string) => boolean;
}

/** Host and port of a canonical URL. */
export function authorityOf(url: string): string {
  return originOf(url).replace(/^https?:\/\//, '');
}

/** The path below a mount under which it serves a file on another host or outside its upstream. */
export function foreignPath(url: string): string {
  return `${prefix}${url.replace('://', '/')}`;
}

/** The URL behind such a path (query allowed), if it names a file on one of the hosts. */
export function foreignUrl(
  path: string,
  isAllowed: (authority: string) => boolean,
  isFile: (path: string) => boolean,
): string | undefined {
  const [, scheme, rest] = /^\/-\/at\/(https?)\/(.+)$/.exec(path) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  // pip encodes the colon before a port.
  const text = `${scheme}://${rest.replace(/^([^/%]+)%3a(?=\d+\/)/i, '$1:')}`;
  const url = canonicalUrl(text);
  if (url === undefined || url !== text) return undefined;
  return isAllowed(authorityOf(url)) && isFile(pathOf(url)) ? url : undefined;
}

/**
 * The gateway's URL for one on the upstream's or an allowed host, http and https alike; undefined:
 * the URL stays. URLs with credentials, dot segments or characters that no URL has stay.
 */
export function gatewayUrl(text: string, places: FilePlaces): string | undefined {
  return gatewayUrls(places)(text);
}

/** The same for many URLs. */
export function gatewayUrls(places: FilePlaces): (text: string) => string | undefined {
  const { upstreamUrl, publicBase, hosts, isFile } = places;
  const own = authorityOf(upstreamUrl);
  const ownPath = upstreamUrl.slice(originOf(upstreamUrl).length);
  const below = `${upstreamUrl}/`;
  return (text) => {
    // Nearly every URL of an index, without taking it apart.
    if (text.startsWith(below) && plainUrl.test(text)) {
      const path = text.slice(upstreamUrl.length);
      return hasDotSegments(path) ? undefined : publicBase + path;
    }
    const parts = partsOf(text);
    if (!parts) return undefined;
    const { secure, authority, rest } = parts;
    if (authority === own) {
      if (rest.startsWith(`${ownPath}/`)) return publicBase + rest.slice(ownPath.length);
    } else if (!hosts.includes(authority)) return undefined;
    const fragment = rest.indexOf('#');
    if (!isFile(fragment === -1 ? rest : rest.slice(0, fragment))) return undefined;
    return `${publicBase}${prefix}${secure ? 'https' : 'http'}/${authority}${rest}`;
  };
}

/** Nearly every URL of an index: in lower case, without anything encoded. */
const plainUrl = /^http(s?):\/\/([a-z0-9.:-]+)(\/[!-$&-[\]-~]*)$/;
const anyUrl = /^http(s?):\/\/([^/?#@\\]+)(\/[^\\\s\p{Cc}]*)$/iu;

/** Host with its port where it is not the scheme's, and what follows; undefined where the URL stays. */
function partsOf(text: string): { secure: boolean; authority: string; rest: string } | undefined {
  const match = plainUrl.exec(text) ?? anyUrl.exec(text);
  if (!match) return undefined;
  const [, s = '', host = '', rest = ''] = match;
  if (hasDotSegments(rest)) return undefined;
  const secure = s !== '';
  const authority = host.toLowerCase();
  const port = secure ? ':443' : ':80';
  const known = authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
  return { secure, authority: known, rest };
}
