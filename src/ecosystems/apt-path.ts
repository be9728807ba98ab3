import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import { type Digest, type DigestAlgorithm, digestFromHex } from '../core/digest.ts';

/** What a URL's path says in a repository of apt's format. */
export type AptPath =
  /** An index under the digest that its Release file gives it. */
  | { readonly kind: 'by-hash'; readonly digest: Digest }
  /** A versioned package file in a pool. */
  | { readonly kind: 'package' }
  /** What a Release file may name, in a suite or a flat repository; `distinctive`: only apt's is so named. */
  | { readonly kind: 'index'; readonly distinctive: boolean }
  | { readonly kind: 'other' };

const algorithms: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['MD5Sum', 'md5'],
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA512', 'sha512'],
]);

const compression = String.raw`(?:\.(?:gz|xz|bz2|lzma|lz4|zst))`;
const releaseFile = /^(?:InRelease|Release|Release\.gpg)$/;
const indexFile = new RegExp(
  String.raw`^(?:Packages|Sources|Index|(?:Contents|Translation|Components|Commands|icons)-[\w.@+-]+)` +
    `${compression}?$`,
);
const flatIndexFile = new RegExp(`^(?:Packages|Sources)${compression}?$`);
const binaryPackage = /^[a-z0-9][a-z0-9.+-]*_v?\d[^/_]*_[a-z0-9-]+\.(?:deb|udeb|ddeb)$/;
const sourcePackage =
  /^[a-z0-9][a-z0-9.+-]*_v?\d[^/_]*\.(?:dsc|diff\.gz|changes|buildinfo|tar\.(?:gz|xz|bz2|lzma|zst)(?:\.asc)?)$/;

/**
 * Reads a canonical URL. The whole path counts, not the part below a mount, so that a URL means the
 * same through a mount and through the forward proxy.
 */
export function parseAptPath(url: string): AptPath {
  const path = pathOf(url);
  // apt never sends a query; whatever does is a site of another kind.
  if (/[?#]/.test(path) || hasDotSegments(path)) return { kind: 'other' };
  const segments = path.split('/');
  const file = segments.at(-1) ?? '';

  if (segments.at(-3) === 'by-hash') {
    const algorithm = algorithms.get(segments.at(-2) ?? '');
    const digest = algorithm && digestFromHex(algorithm, file);
    return digest ? { kind: 'by-hash', digest } : { kind: 'other' };
  }
  // Some repositories have their pool below dists/.
  if (segments.indexOf('pool', 1) !== -1 && isPackageFile(file)) return { kind: 'package' };
  const dists = segments.indexOf('dists', 1);
  if (dists !== -1 && segments.length >= dists + 3) {
    const folders = segments.slice(dists + 2, -1);
    return { kind: 'index', distinctive: isSuiteFile(file) || folders.some(isSuiteFolder) };
  }
  if (isFlatIndex(file)) return { kind: 'index', distinctive: !/^[A-Z][a-z]+$/.test(file) };
  return { kind: 'other' };
}

function isPackageFile(file: string): boolean {
  // apt percent-encodes `~`, `+` and `:` of versions.
  const name = file.replace(/%(?:7e|2b|3a)/gi, '+');
  return binaryPackage.test(name) || sourcePackage.test(name);
}

function isSuiteFile(file: string): boolean {
  return releaseFile.test(file) || indexFile.test(file);
}

function isSuiteFolder(folder: string): boolean {
  return /^(?:dep11|i18n|cnf|.+\.diff|installer-[\w-]+)$/.test(folder);
}

function isFlatIndex(file: string): boolean {
  return releaseFile.test(file) || flatIndexFile.test(file);
}
