import { hasDotSegments } from '../core/canonical-url.ts';

/** What a path below a registry's URL asks for. */
export type NpmPath =
  /** All versions of a package. */
  | { readonly kind: 'packument'; readonly name: string }
  /** One version, by number or tag. */
  | { readonly kind: 'manifest'; readonly name: string }
  | { readonly kind: 'tarball'; readonly of?: TarballName }
  /** `/-/…`: the registry's own services; `endpoint` without the `/-/` and the query. */
  | { readonly kind: 'endpoint'; readonly endpoint: string }
  /** A clean path that the protocol does not know. */
  | { readonly kind: 'other' }
  /** A path that no registry client sends, and that two servers might read differently. */
  | { readonly kind: 'suspicious' };

/** What a tarball's path says of it, where it follows a convention. */
export interface TarballName {
  readonly name: string;
  readonly version: string;
  /** The last segment of its path, percent-decoded. */
  readonly file: string;
}

const tarballFile = /\.(?:tgz|tar\.gz)$/i;
/** GitHub's registry names tarballs by version and digest: `/download/@scope/name/1.0.0/<hex>`. */
const githubTarball = /^\/download\/((?:@[^/]+\/)?[^/]+)\/([^/]+)\/([0-9a-f]{40,})$/i;

/** Reads a path (query allowed) below a registry's URL; a scope's slash may be percent-encoded. */
export function parseNpmPath(pathAndQuery: string): NpmPath {
  const path = withoutQuery(pathAndQuery);
  if (hasDotSegments(path)) return { kind: 'suspicious' };
  const decoded = decodedPath(path);
  if (decoded === undefined || hasControlsOrBackslash(decoded)) return { kind: 'suspicious' };
  const [, ofPackage = '', version = '', file = ''] = githubTarball.exec(decoded) ?? [];
  if (ofPackage !== '') return tarball(ofPackage, version, file);

  const [, ...segments] = decoded.replace(/\/$/, '').split('/');
  if (segments.length === 0 || segments.includes('')) return { kind: 'other' };
  const scoped = segments[0]?.startsWith('@') === true;
  const name = segments.slice(0, scoped ? 2 : 1).join('/');
  const rest = segments.slice(scoped ? 2 : 1);
  if (scoped && segments.length < 2) return { kind: 'other' };

  // There is a package named "-": its tarballs alone look like an endpoint.
  const isEndpoint = name === '-' && rest.length > 0 && rest[0] !== '-';
  if (isEndpoint) return { kind: 'endpoint', endpoint: rest.join('/') };
  if (rest.length === 0) return { kind: 'packument', name };
  const last = rest.at(-1) ?? '';
  if (tarballFile.test(last) && rest.length > 1) {
    const start = `${name.slice(name.indexOf('/') + 1)}-`;
    const versioned = last.startsWith(start) ? last.slice(start.length) : '';
    return tarball(name, versioned.replace(tarballFile, ''), last);
  }
  if (rest.length === 1 && !rest[0]?.startsWith('-')) return { kind: 'manifest', name };
  return { kind: 'other' };
}

function tarball(name: string, version: string, file: string): NpmPath {
  const named = /^(?:@[\w.~-]+\/)?[\w.~-]+$/.test(name) && /^\d+\.\d+\.\d+[\w.+-]*$/.test(version);
  return named ? { kind: 'tarball', of: { name, version, file } } : { kind: 'tarball' };
}

/**
 * Whether a URL's path outside a registry is that of a package's tarball: a file name with a version,
 * or a registry's own layout. Only such URLs are fetched from other hosts through a mount.
 */
export function isTarballPath(pathAndQuery: string): boolean {
  const path = withoutQuery(pathAndQuery);
  if (parseNpmPath(path).kind === 'suspicious') return false;
  if (githubTarball.test(path)) return true;
  const file = path.slice(path.lastIndexOf('/') + 1);
  return tarballFile.test(file) && (/\d/.test(file) || path.includes('/-/'));
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

/**
 * A path whose scope has its slash as npm itself sends it: `%2f` in a document's path, where Corepack
 * has a plain one and pnpm `%2F`; a plain one in a tarball's, where Yarn tries `%2f`. Undefined: it is so.
 */
export function spelledAsNpm(path: string): string | undefined {
  const [whole, scope = '', slash = '', rest = ''] =
    /^(\/(?:@|%40)[^/%?]+)(\/|%2f)([^/?]+(?:$|[/?].*))/i.exec(path) ?? [];
  if (whole === undefined) return undefined;
  const { kind } = parseNpmPath(path);
  if (kind === 'suspicious') return undefined;
  // A version's own document under a plain slash may be all that a registry has.
  const wanted = kind === 'packument' ? '%2f' : kind === 'tarball' ? '/' : slash.toLowerCase();
  return wanted === slash ? undefined : `${scope}${wanted}${rest}`;
}

function withoutQuery(pathAndQuery: string): string {
  const query = pathAndQuery.indexOf('?');
  return query === -1 ? pathAndQuery : pathAndQuery.slice(0, query);
}

/**
 * Percent-decoded once; undefined where that is not UTF-8, still encoded afterwards, or a slash is
 * encoded elsewhere than behind a scope.
 */
function decodedPath(path: string): string | undefined {
  if (!path.includes('%')) return path;
  const unscoped = path.replace(/(?<=\/)(?:@|%40)([^/%]+)%2f/gi, '@$1/');
  if (/%2f/i.test(unscoped)) return undefined;
  try {
    const decoded = decodeURIComponent(unscoped);
    return /%[0-9a-f]{2}/i.test(decoded) ? undefined : decoded;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function hasControlsOrBackslash(text: string): boolean {
  for (const char of text) {
    if (char < ' ' || char === '\u007f' || char === '\\') return true;
  }
  return false;
}
