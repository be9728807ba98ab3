import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Ecosystem } from './ecosystem.ts';

/** `name-version-rN`, which no other kind of file by that suffix is called. */
const packageFile = /-\d[^/-]*-r\d+\.apk$/;
/** Signed as a whole: there is nothing that it would have to fit. */
const index = /\/(?:APKINDEX\.tar\.gz|Packages\.adb)$/;

/** Alpine's repositories: "Alpine Package Keeper", `apk-repositories(5)` and `apk-package(5)`. */
export const apk: Ecosystem = {
  id: 'apk',
  hosts: ['dl-cdn.alpinelinux.org'],
  recognises({ url }) {
    const path = pathOf(url);
    return !hasDotSegments(path) && (packageFile.test(path) || index.test(path));
  },
  classify({ url }) {
    const path = pathOf(url);
    if (hasDotSegments(path)) return { kind: 'index', freshness: 'rfc9111' };
    if (packageFile.test(path)) return { kind: 'artifact' };
    // It changes whenever a package does: how long ago that was says nothing of the next time.
    if (index.test(path)) return { kind: 'index', freshness: 'explicit' };
    return { kind: 'index', freshness: 'rfc9111' };
  },
};
