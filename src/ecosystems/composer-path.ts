import { hasDotSegments } from '../core/canonical-url.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';

/** What a path says, on a Composer repository or on a host that has its packages' files. */
export type ComposerPath =
  /** `packages.json`. */
  | { readonly kind: 'root' }
  /** The versions of a package; or a template for such paths. */
  | { readonly kind: 'package' }
  /** A document that is named by its digest. */
  | { readonly kind: 'hashed'; readonly digest: Digest }
  /** A package's archive at one commit or version; `packages` that it may belong to. */
  | { readonly kind: 'archive'; readonly packages: readonly string[] }
  /** What packagist.org offers besides. */
  | { readonly kind: 'api' }
  | { readonly kind: 'other' };

const name = '[a-z0-9]+(?:[_.-]{1,2}[a-z0-9]+)*';
const packageName = new RegExp(`^${name}/${name}$`);
const packageFile = new RegExp(
  String.raw`/p2?/(?:(?:${name})/(?:${name})(?:~dev)?|%package%(?:\$%hash%)?)\.json$`,
  'i',
);
const hashedFile = /\$([0-9a-f]{64}|[0-9a-f]{40})\.json$/;
const api =
  /^\/(?:search\.json|downloads\/?|metadata\/changes\.json|packages\/list\.json|providers\/[^?]+\.json|api\/security-advisories\/?)(?:\?|$)/;

const commit = '[0-9a-f]{40}';
/** GitHub, by its API and by what that leads to; GitLab; Bitbucket. */
const hostedArchives: readonly RegExp[] = [
  new RegExp(`^/repos/[^/?]+/[^/?]+/(?:zip|tar)ball/${commit}$`),
  new RegExp(String.raw`^/[^/?]+/[^/?]+/legacy\.(?:zip|tar\.gz)/${commit}$`),
  new RegExp(String.raw`^/api/v4/projects/[^/?]+/repository/archive\.[a-z0-9.]+\?sha=${commit}$`),
  new RegExp(String.raw`^/[^/?]+/[^/?]+/get/${commit}\.[a-z0-9.]+$`),
];
/** Elsewhere: a version or commit in the file's name, or a place for it in a template. */
const archiveEnd = /\.(?:zip|tar|tgz|tar\.(?:gz|bz2|xz)|%type%)$/i;
const versioned = /\d|%reference%|%version%/;
const maxCandidates = 6;

/** Reads a path, query included where it matters. */
export function parseComposerPath(path: string): ComposerPath {
  if (hasDotSegments(path)) return { kind: 'other' };
  if (path.endsWith('/packages.json')) return { kind: 'root' };
  const [, hex = ''] = hashedFile.exec(path) ?? [];
  const digest = digestFromHex(hex.length === 40 ? 'sha1' : 'sha256', hex);
  if (digest) return { kind: 'hashed', digest };
  if (packageFile.test(path)) return { kind: 'package' };
  if (hostedArchives.some((each) => each.test(path)) || isArchive(path)) {
    return { kind: 'archive', packages: packagesIn(path) };
  }
  return api.test(path) ? { kind: 'api' } : { kind: 'other' };
}

function isArchive(path: string): boolean {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return !file.includes('?') && archiveEnd.test(file) && versioned.test(file);
}

/** Whether a mount serves such a path outside its upstream. */
export function isServedPath(path: string): boolean {
  return parseComposerPath(path).kind !== 'other';
}

/** Names that an archive's folders may be. */
function packagesIn(path: string): readonly string[] {
  const folders = path.toLowerCase().split('/').slice(1, -1);
  const pairs = folders.slice(1).map((folder, at) => `${folders[at]}/${folder}`);
  return pairs.filter((pair) => packageName.test(pair)).slice(-maxCandidates);
}
