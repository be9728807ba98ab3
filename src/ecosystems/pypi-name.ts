import { hasDotSegments } from '../core/canonical-url.ts';
import { lastSegment } from './url-segment.ts';

/** What a URL's path says on a package index. */
export type PypiPath =
  /** A project's page in the simple repository; `name` as it is spelled there. */
  | { readonly kind: 'project'; readonly name: string; readonly isNormal: boolean }
  /** The list of all projects. */
  | { readonly kind: 'list' }
  /** A wheel, an archive, or what is published beside one. */
  | { readonly kind: 'file'; readonly file: PypiFile }
  | { readonly kind: 'other' };

export interface PypiFile {
  /** The distribution's own name, the last segment of its URL without a suffix for what is beside it. */
  readonly name: string;
  /** Projects that it may belong to, normalised. */
  readonly projects: readonly string[];
  /** The file itself, its metadata (PEP 658), or what the index gives no digest for. */
  readonly part: 'file' | 'metadata' | 'other';
}

const wheel = /^([\w.]+)-[\w.!+]+(?:-\d[\w.]*)?-[\w.]+-[\w.]+-[\w.]+\.whl$/;
const egg = /^([\w.]+)-\d[\w.!+]*(?:-py[\w.-]+)?\.egg$/;
const archive = /^([A-Za-z0-9][\w.-]*-v?\d[\w.!+-]*)\.(?:tar\.(?:gz|bz2|xz|Z)|tgz|zip)$/;
const beside = /\.(?:metadata|asc|provenance)$/;
const maxCandidates = 4;

/** PEP 503: the spelling by which indexes and clients know a project. */
export function normalisedName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** Reads a URL's path (query allowed); the whole one or that below a mount, which end alike. */
export function parsePypiPath(pathAndQuery: string): PypiPath {
  const [path = ''] = pathAndQuery.split('?', 1);
  if (hasDotSegments(path)) return { kind: 'other' };
  const file = parseFile(lastSegment(path) ?? '');
  if (file) return { kind: 'file', file };
  const [, isSimple, name] = /\/(\+?simple)(?:\/([A-Za-z0-9][\w.-]*))?\/?$/.exec(path) ?? [];
  if (isSimple === undefined) return { kind: 'other' };
  if (name === undefined) return { kind: 'list' };
  const isNormal = path.endsWith('/') && name === normalisedName(name);
  return { kind: 'project', name, isNormal };
}

function parseFile(decoded: string): PypiFile | undefined {
  const name = decoded.replace(beside, '');
  const suffix = decoded.slice(name.length);
  const part = suffix === '' ? 'file' : suffix === '.metadata' ? 'metadata' : 'other';
  const [, project] = wheel.exec(name) ?? egg.exec(name) ?? [];
  if (project !== undefined) return { name, projects: [normalisedName(project)], part };
  const [, stem] = archive.exec(name) ?? [];
  if (stem === undefined) return undefined;
  // An old archive's name may have dashes of its own: each that a digit follows may begin the version.
  const dashes = [...stem.matchAll(/-(?=v?\d)/g)].slice(0, maxCandidates);
  return { name, projects: dashes.map(({ index }) => normalisedName(stem.slice(0, index))), part };
}
