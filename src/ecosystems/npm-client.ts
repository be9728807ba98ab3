import { canonicalUrl, pathOf } from '../core/canonical-url.ts';
import type { ArtifactClassification } from '../core/classification.ts';
import { digestsFromIntegrity, strongestDigest } from '../core/digest.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';

/** The request fields that `swapsRegistryHost` reads. */
export const clientFields: readonly string[] = ['user-agent', 'npm-command'];

/**
 * What npm says of the tarball that it asks for: the `integrity` of its lockfile or of the package's
 * document (pacote, `lib/fetcher.js`).
 */
export function expectedOf(headers: RawHeaders): Pick<ArtifactClassification, 'expected'> {
  const text = fieldValue(headers, 'pacote-integrity');
  const expected = text === undefined ? undefined : strongestDigest(digestsFromIntegrity(text));
  return expected ? { expected } : {};
}

/** Commands that fetch tarballs without npm's installer, and write no lockfile. */
const fetchingCommands: ReadonlySet<string> = new Set([
  'cache',
  'ci',
  'diff',
  'install-ci-test',
  'pack',
]);

/**
 * Whether the client, given a document whose tarballs are on the canonical registry, fetches them
 * from `publicBase` by itself (npm's `replace-registry-host`). Measured with npm 8.19 to 11.19 where
 * they differ; whatever is not sure to work gets the URL rewritten.
 */
export function swapsRegistryHost(
  headers: RawHeaders,
  publicBase: string,
  packageName: string,
): boolean {
  const agent = /^npm\/(\d+)\.(\d+)\.(\d+)/.exec(fieldValue(headers, 'user-agent') ?? '');
  if (!agent) return false;
  const version = agent.slice(1).map(Number);
  if (isBefore(version, [7, 0, 0])) return false;

  // npm/cli issues 8472 and 8216: 11.3 to 11.5 keep https, 11.3 drops the registry's path.
  const isBroken = !isBefore(version, [11, 3, 0]) && isBefore(version, [11, 6, 0]);
  if (isBroken && !/^https:/i.test(publicBase)) return false;
  const mountPath = pathOf(canonicalUrl(publicBase) ?? '').replace(/\/$/, '');
  if (mountPath === '') return true;
  if (isBroken && isBefore(version, [11, 4, 0])) return false;

  // npm/cli issue 8720: what does not go through the installer drops the registry's path.
  const command = fieldValue(headers, 'npm-command');
  if (command !== undefined && fetchingCommands.has(command)) return false;

  // The installer takes a tarball path that begins like the registry's to have that path already.
  // `/npm/-/npm-1.0.0.tgz` below `/npm` is understood all the same: see `strayTarball`.
  const tarballPath = `/${packageName}/`;
  if (`${mountPath}/` === tarballPath) return !packageName.includes('/');
  const matchesPartOfName = !isBefore(version, [11, 3, 0]) && isBefore(version, [11, 6, 4]);
  return !tarballPath.startsWith(matchesPartOfName ? mountPath : `${mountPath}/`);
}

function isBefore(version: readonly number[], other: readonly number[]): boolean {
  for (const [index, bound] of other.entries()) {
    const part = version[index] ?? 0;
    if (part !== bound) return part < bound;
  }
  return false;
}
