import type { DigestFinder, DigestSource } from '../core/classification.ts';
import { digestFromHex, digestsFromIntegrity } from '../core/digest.ts';
import { EntryDigestFinder } from './entry-digest-finder.ts';
import type { TarballName } from './npm-path.ts';
import { lastSegment } from './url-segment.ts';

/**
 * Where the digest of a version's tarball is published: in the package's document, and in the version's
 * own, which is all that Corepack reads.
 */
export function tarballDigest(registry: string, tarball: TarballName): DigestSource {
  const { name, version } = tarball;
  // A scope's slash has three spellings, each the one of some client.
  const spellings = name.includes('/') ? ['%2f', '%2F', '/'] : ['/'];
  const documents = spellings.map((slash) => `${registry}/${name.replace('/', slash)}`);
  // Below the package named "-" there are services, not versions.
  const ofVersion = name === '-' ? [] : documents.map((document) => `${document}/${version}`);
  return {
    urls: [...documents, ...ofVersion],
    find: () => tarballDigestFinder(tarball),
  };
}

/**
 * Reads `versions.<version>.dist` of a packument, or `dist` of a version's own document: `integrity`,
 * and `shasum` (SHA-1) as old registries have it. It counts only where `dist.tarball` is the file in question.
 */
function tarballDigestFinder({ version, file }: TarballName): DigestFinder {
  const dist = { tarball: true, integrity: true, shasum: true } as const;
  return new EntryDigestFinder({
    select: { dist, versions: { [version]: { dist } } },
    take(entry, text, key) {
      if (key === 'tarball') entry.isNamed = lastSegment(text) === file;
      else if (key === 'integrity') entry.digests.push(...digestsFromIntegrity(text));
      else {
        const digest = digestFromHex('sha1', text);
        if (digest) entry.digests.push(digest);
      }
    },
    // `dist` has ended when the root, `versions` and the version are still open, or the root alone
    // (where `versions` may have ended, too, with nothing found).
    ends: (depth, { isNamed }) => depth === 3 || (depth === 1 && isNamed),
  });
}
