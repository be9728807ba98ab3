import { hasDotSegments } from '../core/canonical-url.ts';
import { decodedSegment } from './url-segment.ts';

/** A published version of a crate. */
export interface CrateVersion {
  readonly name: string;
  readonly version: string;
}

/** What a path below a registry's index says. */
export type CargoPath =
  | { readonly kind: 'config' }
  /** The versions of one crate. */
  | { readonly kind: 'index' }
  | { readonly kind: 'crate'; readonly of: CrateVersion }
  /** The registry's web API: search, owners, publishing. */
  | { readonly kind: 'api' }
  | { readonly kind: 'other' };

const crateName = String.raw`[A-Za-z0-9][\w-]*`;
const version = String.raw`\d+\.\d+\.\d+[\w.+-]*`;
const crateFile = new RegExp(`^(${crateName}?)-(${version})\\.crate$`);
const wholeName = new RegExp(`^${crateName}$`);
const wholeVersion = new RegExp(`^${version}$`);

/** Reads a path (query allowed) below a sparse index. The Cargo Book, "Registry Index". */
export function parseCargoPath(pathAndQuery: string): CargoPath {
  const crate = crateOf(pathAndQuery);
  if (crate) return { kind: 'crate', of: crate };
  const [path = ''] = pathAndQuery.split('?', 1);
  if (path === '/config.json') return { kind: 'config' };
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (wholeName.test(name) && path === indexPath(name)) return { kind: 'index' };
  return path.startsWith('/api/v1/') ? { kind: 'api' } : { kind: 'other' };
}

/** The crate whose file a path is, by either of the usual layouts; undefined: it is none. */
export function crateOf(pathAndQuery: string): CrateVersion | undefined {
  const [path = ''] = pathAndQuery.split('?', 1);
  if (hasDotSegments(path)) return undefined;
  const segments = path.split('/').map(decodedSegment);
  const last = segments.at(-1) ?? '';
  const [, fileName, fileVersion] = crateFile.exec(last) ?? [];
  if (fileName !== undefined && fileVersion !== undefined) {
    return { name: fileName, version: fileVersion };
  }
  const [named = '', versioned = ''] = segments.slice(-3);
  const isDownload = last === 'download' && wholeName.test(named) && wholeVersion.test(versioned);
  return isDownload ? { name: named, version: versioned } : undefined;
}

/** Where an index has a crate: names are in lower case there. */
export function indexPath(crate: string): string {
  const name = crate.toLowerCase();
  if (name.length <= 2) return `/${name.length}/${name}`;
  if (name.length === 3) return `/3/${name[0]}/${name}`;
  return `/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`;
}
