import { canonicalUrl, originOf, pathOf } from '../core/canonical-url.ts';
import { isTarballPath } from './npm-path.ts';

const prefix = '/-/at/';

/** Host and port of a canonical URL. */
export function authorityOf(url: string): string {
  return originOf(url).replace(/^https?:\/\//, '');
}

/** The path below a mount under which it serves a tarball on another host or outside its upstream. */
export function foreignTarballPath(url: string): string {
  return `${prefix}${url.replace('://', '/')}`;
}

/** The URL behind such a path (query allowed), if it names a tarball on one of the hosts. */
export function foreignTarballUrl(
  path: string,
  isAllowed: (authority: string) => boolean,
): string | undefined {
  const [, scheme, rest] = /^\/-\/at\/(https?)\/(.+)$/.exec(path) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  const url = canonicalUrl(`${scheme}://${rest}`);
  if (url === undefined || url !== `${scheme}://${rest}`) return undefined;
  return isAllowed(authorityOf(url)) && isTarballPath(pathOf(url)) ? url : undefined;
}

/**
 * npm takes the tarball of the package `npm` to lie below a registry at `/npm` already and asks for
 * `/npm/-/npm-1.0.0.tgz`; below the mount that is a file directly under `/-/`, which no endpoint is.
 * The path that was meant, from the file's name.
 */
export function strayTarball(path: string): string | undefined {
  const match = /^\/-\/([a-z0-9][\w.-]*?)-\d+\.\d+\.\d+[\w.+-]*\.tgz$/i.exec(path);
  return match ? `/${match[1]}${path}` : undefined;
}
