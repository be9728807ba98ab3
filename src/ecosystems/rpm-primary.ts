import { pathOf } from '../core/canonical-url.ts';
import type { DigestList, DigestLister, TellDigest } from '../core/classification.ts';
import { RecordReader, textBetween } from './record-reader.ts';

/** A package with all it provides and its main files; a longer one is passed over. */
const maxPackageBytes = 4 * 1024 * 1024;
/** Under its plain name or one that begins with its checksum, in a compression that can be undone. */
const primary = /^(.*\/)repodata\/(?:[0-9a-f]{32,128}-)?primary\.xml(?:\.(?:gz|xz|zst))?$/;
/** `Packages/n/` is two; so far up from a package its repository is at most. */
const maxAbove = 5;

/** The list that a repository's metadata is, where it is the one of its packages. */
export function primaryList(url: string): DigestList | undefined {
  const [, root] = primary.exec(url) ?? [];
  return root === undefined ? undefined : { id: 'primary', root, create: primaryLister };
}

/** The roots of repositories that a package may be in: its folder and those above. */
export function repositoriesOf(url: string): readonly string[] {
  const path = pathOf(url);
  const origin = url.slice(0, url.length - path.length);
  const folders = path.split('/').slice(0, -1);
  const roots: string[] = [];
  for (let depth = folders.length; depth > 0 && roots.length < maxAbove; depth--) {
    roots.push(`${origin}${folders.slice(0, depth).join('/')}/`);
  }
  return roots;
}

/**
 * createrepo_c's `primary.xml`: a `<package>` has its checksum and its place. What follows the last one
 * has neither.
 */
function primaryLister(tell: TellDigest): DigestLister {
  return new RecordReader('</package>', maxPackageBytes, (element) => {
    const checksum = textBetween(element, '<checksum ', '</checksum>');
    const [, sha256 = ''] =
      /\btype=["']sha256["'][^>]*>\s*([0-9a-fA-F]{64})\s*$/.exec(checksum ?? '') ?? [];
    const location = textBetween(element, '<location ', '>') ?? '';
    const [, href = ''] = /\bhref=["']([^"'<]{1,1000})["']/.exec(location) ?? [];
    // With a base of its own it is not of this repository.
    if (sha256 === '' || href === '' || location.includes('xml:base')) return;
    tell(href.replaceAll('&amp;', '&'), sha256);
  });
}
