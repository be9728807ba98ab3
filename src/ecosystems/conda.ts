import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Classification, ClassifyRequest, DigestFinder } from '../core/classification.ts';
import { digestFromHex } from '../core/digest.ts';
import { readableDocument } from './document.ts';
import type { Ecosystem } from './ecosystem.ts';
import { EntryDigestFinder } from './entry-digest-finder.ts';

/** `name-version-build` in a folder of its platform. */
const packageFile = /^[a-z0-9_.~+-]+-[^-]+-[^-]+\.(?:conda|tar\.bz2)$/i;
const index =
  /\/(?:(?:current_)?repodata(?:_from_packages)?\.json(?:\.zst|\.bz2)?|channeldata\.json|repodata_shards\.msgpack\.zst)$/;
/** A shard is named by its digest. CEP 16. */
const shard = /\/([0-9a-f]{64})\.msgpack\.zst$/;

/** conda channels: conda's documentation, "Package channels", and its enhancement proposals. */
export const conda: Ecosystem = {
  id: 'conda',
  hosts: ['conda.anaconda.org', 'repo.anaconda.com'],
  classify,
};

function classify(request: ClassifyRequest): Classification {
  const { url } = request;
  const path = pathOf(url);
  if (hasDotSegments(path)) return { kind: 'index', freshness: 'rfc9111' };
  const [, hex = ''] = shard.exec(path) ?? [];
  const digest = digestFromHex('sha256', hex);
  if (digest) return { kind: 'artifact', digest };
  const file = path.slice(path.lastIndexOf('/') + 1);
  if (packageFile.test(file) && !/[?#]/.test(path)) {
    const folder = url.slice(0, url.length - file.length);
    const urls = ['repodata.json', 'current_repodata.json'].map((name) => folder + name);
    return { kind: 'artifact', digestFrom: { urls, find: () => packageDigestFinder(file) } };
  }
  return index.test(path) ? readableDocument(request) : { kind: 'index', freshness: 'rfc9111' };
}

/** Finds `sha256`, or else `md5`, of a package in a channel's `repodata.json`. */
function packageDigestFinder(file: string): DigestFinder {
  const entry = { [decoded(file)]: { sha256: true, md5: true } } as const;
  return new EntryDigestFinder({
    select: { packages: entry, 'packages.conda': entry },
    take(found, text, key) {
      // No other entry is read.
      found.isNamed = true;
      const digest = digestFromHex(key === 'md5' ? 'md5' : 'sha256', text);
      if (digest) found.digests.push(digest);
    },
    // The root and the list are still open: the package's entry has ended.
    ends: (depth) => depth === 2,
  });
}

/** What clients encode in a version: an epoch and a local part. */
function decoded(file: string): string {
  return file.replace(/%21/g, '!').replace(/%2b/gi, '+');
}
