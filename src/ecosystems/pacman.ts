import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Ecosystem } from './ecosystem.ts';
import { databaseList } from './pacman-database.ts';

/** `name-version-release-architecture`; a version of no release but a commit begins with a letter. */
const packageFile = /-[^/-]+-[\d.]+-[a-z0-9_]+\.pkg\.tar\.(?:zst|xz|gz)(?:\.sig)?$/;
const database = /\.(?:db|files)(?:\.tar\.(?:gz|xz|zst))?$/;
const signature = /\.(?:db|files)(?:\.tar\.(?:gz|xz|zst))?\.sig$/;
/** Where mirrors of Arch Linux have theirs: `core/os/x86_64/core.db`. */
const databaseInPlace = /\/([a-z0-9-]+)\/os\/[a-z0-9_]+\/\1\.(?:db|files)(?:\.sig)?$/;

/** pacman's repositories: packages carry version, release and architecture in their name. */
export const pacman: Ecosystem = {
  id: 'pacman',
  hosts: ['geo.mirror.pkgbuild.com'],
  recognises({ url }) {
    const path = pathOf(url);
    return !hasDotSegments(path) && (packageFile.test(path) || databaseInPlace.test(path));
  },
  classify({ url }) {
    const path = pathOf(url);
    if (hasDotSegments(path)) return { kind: 'index', freshness: 'rfc9111' };
    if (packageFile.test(path)) {
      // Its signature is in no database.
      if (path.endsWith('.sig')) return { kind: 'artifact' };
      return { kind: 'artifact', listedBelow: [url.slice(0, url.lastIndexOf('/') + 1)] };
    }
    if (database.test(path)) {
      const lists = databaseList(url);
      return { kind: 'index', freshness: 'explicit', names: true, ...(lists && { lists }) };
    }
    if (signature.test(path)) {
      return { kind: 'index', freshness: 'validate', fits: url.slice(0, -'.sig'.length) };
    }
    return { kind: 'index', freshness: 'rfc9111' };
  },
};
