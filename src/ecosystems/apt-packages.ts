import { pathOf } from '../core/canonical-url.ts';
import type { DigestList, DigestLister, TellDigest } from '../core/classification.ts';
import { RecordReader, textBetween } from './record-reader.ts';

/** A package's description and all its dependencies; a longer stanza is passed over. */
const maxStanzaBytes = 256 * 1024;
/** A `Packages` of a suite under its name or its digest, in a compression that can be undone. */
const packages =
  /^(.*\/)dists\/(.+\/binary-[\w-]+)\/(?:Packages(?:\.(?:gz|xz|zst))?|by-hash\/[A-Za-z0-9]+\/[0-9a-f]+)$/;
/** So far up from its pool a package's archive is at most. */
const maxAbove = 3;

/** The list that an index of a suite is, where it is a `Packages`. */
export function packagesList(url: string): DigestList | undefined {
  const [, root, id] = packages.exec(url) ?? [];
  if (root === undefined || id === undefined) return undefined;
  return { id, root, create: packagesLister };
}

/** The roots of archives that a binary package may be in: what is above its pool. */
export function archivesOf(url: string): readonly string[] {
  if (!/\.(?:deb|udeb|ddeb)$/.test(url)) return [];
  const path = pathOf(url);
  const origin = url.slice(0, url.length - path.length);
  const segments = path.split('/');
  const above = segments.slice(0, segments.indexOf('pool', 1));
  const roots: string[] = [];
  for (let depth = above.length; depth > 0 && roots.length < maxAbove; depth--) {
    roots.push(`${origin}${above.slice(0, depth).join('/')}/`);
  }
  return roots;
}

/** Debian's wiki, "DebianRepository/Format", "Packages Indices". */
function packagesLister(tell: TellDigest): DigestLister {
  return new RecordReader('\n\n', maxStanzaBytes, (stanza) => {
    const name = textBetween(stanza, '\nFilename: ', '\n');
    const sha256 = textBetween(stanza, '\nSHA256: ', '\n');
    if (name !== undefined && sha256 !== undefined) tell(name.trim(), sha256.trim());
  });
}
