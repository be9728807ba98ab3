import { hasDotSegments } from '../core/canonical-url.ts';

/**
 * What a path below a Maven repository says.
 * - `release`: a file of a version, or of one build of a snapshot: it never changes
 * - `signature`: what is published beside such a file, without checksums of its own that matter
 * - `checksum`: a checksum of one of these
 * - `moving`: metadata, a snapshot under its plain name, and their checksums
 */
export type MavenPath = 'release' | 'signature' | 'checksum' | 'moving' | 'other';

const segment = String.raw`[\w.~+!,=@-]+`;
const versioned = new RegExp(`/(${segment})/(${segment})/(${segment})$`);
const checksum = /\.(?:md5|sha1|sha256|sha512)$/;
const signature = /\.(?:asc|sig|sigstore(?:\.json)?)$/;
/** `20240131.235959-7`: when a build of a snapshot was deployed, and its number. */
const build = String.raw`\d{8}\.\d{6}-\d+`;

/** Reads a path (query allowed) by its end; what stands before belongs to the repository or group. */
export function parseMavenPath(pathAndQuery: string): MavenPath {
  const path = pathAndQuery.replace(/%2b/gi, '+');
  if (hasDotSegments(path)) return 'other';
  if (/\/maven-metadata(?:-[\w.-]+)?\.xml(?:\.\w+)?$/.test(path)) return 'moving';
  const [, artifact = '', version = '', file = ''] = versioned.exec(path) ?? [];
  if (artifact === '') return 'other';
  const isChecksum = checksum.test(file);
  const named = file.replace(checksum, '');
  const base = version.replace(/-SNAPSHOT$/, '');
  if (isFileOf(named, `${artifact}-${version}`)) {
    if (base !== version) return 'moving';
  } else if (base === version || !isBuildOf(named, `${artifact}-${base}`)) return 'other';
  if (isChecksum) return 'checksum';
  return signature.test(named) ? 'signature' : 'release';
}

/** A classifier or an extension follows. */
function isFileOf(file: string, start: string): boolean {
  return file.startsWith(start) && /^(?:-[^/]+)?\.[^/]+$/.test(file.slice(start.length));
}

function isBuildOf(file: string, start: string): boolean {
  if (!file.startsWith(`${start}-`)) return false;
  return new RegExp(`^-${build}(?:-[^/]+)?\\.[^/]+$`).test(file.slice(start.length));
}
