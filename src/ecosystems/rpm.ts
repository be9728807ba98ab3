import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { ArtifactClassification, IndexClassification } from '../core/classification.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { Ecosystem } from './ecosystem.ts';
import { chosenFields } from './negotiation.ts';
import { primaryList, repositoriesOf } from './rpm-primary.ts';
import { RepomdFinder } from './rpm-repomd.ts';

/** `name-version-release.architecture`, and the differences between two of them. */
const packageFile = /\/[^/]+-[^/-]+-[^/-]+\.[a-z0-9_]+\.d?rpm$/;
const metadata = /\/repodata\/([^/]+)$/;
/** A name that begins with the file's checksum, as all tools make them by default. */
const uniqueName = /^[0-9a-f]{32,128}-./;

/**
 * Repositories of RPM packages, as dnf, yum and zypper read them: createrepo_c's documentation, and
 * openSUSE's "Standards: Rpm Metadata".
 */
export const rpm: Ecosystem = {
  id: 'rpm',
  hosts: [
    'dl.fedoraproject.org',
    'dl.rockylinux.org',
    'repo.almalinux.org',
    'download.opensuse.org',
  ],
  recognises({ url }) {
    const path = pathOf(url);
    if (hasDotSegments(path)) return false;
    const [, file = ''] = metadata.exec(path) ?? [];
    return packageFile.test(path) || /^repomd\.xml/.test(file) || uniqueName.test(file);
  },
  classify: ({ url, headers }) => {
    const answer = classificationOf(url);
    const requestHeaders = answer.kind === 'index' ? withoutHabit(headers) : undefined;
    return { ...answer, ...(requestHeaders && { requestHeaders }) };
  },
};

/** dnf asks for the `repomd.xml` with `no-cache` whenever it asks: it would have nothing of a cache. */
function withoutHabit(headers: RawHeaders): RawHeaders | undefined {
  if (!/^(?:libdnf|librepo)\b/.test(fieldValue(headers, 'user-agent') ?? '')) return undefined;
  return chosenFields(headers, { 'Cache-Control': () => null, Pragma: () => null });
}

function classificationOf(url: string): ArtifactClassification | IndexClassification {
  const path = pathOf(url);
  if (/[?#]/.test(path) || hasDotSegments(path)) return { kind: 'index', freshness: 'rfc9111' };
  if (packageFile.test(path)) {
    // Differences between packages are in lists of their own.
    if (path.endsWith('.drpm')) return { kind: 'artifact' };
    return { kind: 'artifact', listedBelow: repositoriesOf(url) };
  }
  const [, file] = metadata.exec(path) ?? [];
  if (file === undefined) return { kind: 'index', freshness: 'rfc9111' };
  if (file === 'repomd.xml') return { kind: 'index', freshness: 'explicit', names: true };
  const urls = [`${url.slice(0, -file.length)}repomd.xml`];
  const find = () => new RepomdFinder(url);
  const list = primaryList(url);
  const lists = list && { lists: list };
  if (uniqueName.test(file)) return { kind: 'artifact', digestFrom: { urls, find }, ...lists };
  const validated = { kind: 'index', freshness: 'validate', ...lists } as const;
  if (file === 'repomd.xml.asc') return { ...validated, fits: url.replace(/\.asc$/, '') };
  return file === 'repomd.xml.key' ? validated : { ...validated, pinnedBy: { urls, find } };
}
