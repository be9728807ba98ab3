import { canonicalUrl, originOf } from '../core/canonical-url.ts';
import type { DigestFinder, Rewrite } from '../core/classification.ts';
import { digestFromHex } from '../core/digest.ts';
import { EntryDigestFinder } from './entry-digest-finder.ts';
import { type FilePlaces, gatewayUrls } from './foreign-file.ts';
import type { StringSelector } from './json-selector.ts';
import { JsonStringRewriter } from './json-string-rewriter.ts';

/** Versions are a list, in the older form an object. */
const versions = (dist: StringSelector): StringSelector => ({ '*': { dist }, '[]': { dist } });

const addresses: StringSelector = {
  'metadata-url': true,
  'metadata-changes-url': true,
  'providers-url': true,
  'providers-lazy-url': true,
  'providers-api': true,
  search: true,
  list: true,
  notify: true,
  'notify-batch': true,
  'security-advisories': { 'api-url': true },
  mirrors: { '[]': { 'dist-url': true } },
  packages: { '*': versions({ url: true, mirrors: { '[]': { url: true } } }) },
};

/**
 * Points the addresses of `packages.json` and the archives of package documents at the gateway; all
 * else stays byte for byte. Composer's documentation, "Repositories".
 */
export function addressRewrite(places: FilePlaces): Rewrite {
  const { upstreamUrl, publicBase, hosts } = places;
  const gatewayUrl = gatewayUrls(places);
  const map = (text: string): string | undefined => {
    const isPath = text.startsWith('/') && !text.startsWith('//');
    return gatewayUrl(directArchive(isPath ? originOf(upstreamUrl) + text : text));
  };
  return {
    id: ['composer-addresses-1', upstreamUrl, publicBase, ...hosts].join(' '),
    create: () => new JsonStringRewriter(addresses, { map }),
  };
}

/**
 * GitHub's API only leads on to where its archives are, and does so for clients without an account a
 * few times an hour: the gateway asks at the place itself.
 */
export function directArchive(url: string): string {
  const [, owner, kind, commit] =
    /^https:\/\/api\.github\.com\/repos\/([^/?#]+\/[^/?#]+)\/(zip|tar)ball\/([0-9a-f]{40})$/.exec(
      url,
    ) ?? [];
  if (owner === undefined) return url;
  return `https://codeload.github.com/${owner}/legacy.${kind === 'zip' ? 'zip' : 'tar.gz'}/${commit}`;
}

/** Finds the `shasum` (SHA-1) of an archive in a package's document, by the archive's URL. */
export function shasumFinder(url: string): DigestFinder {
  const wanted = withoutScheme(url);
  return new EntryDigestFinder({
    select: { packages: { '*': versions({ url: true, shasum: true }) } },
    take(entry, text, key) {
      const digest = key === 'shasum' && digestFromHex('sha1', text);
      if (digest) entry.digests.push(digest);
      if (key !== 'url') return;
      entry.isNamed = withoutScheme(canonicalUrl(directArchive(text)) ?? '') === wanted;
    },
    // The root, `packages`, the package and the version are still open: `dist` has ended.
    ends: (depth) => depth === 4,
  });
}

function withoutScheme(url: string): string {
  return url.replace(/^https?:/, '');
}
