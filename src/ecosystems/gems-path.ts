import { hasDotSegments } from '../core/canonical-url.ts';

/** A reading of a gem's file name: several are possible, for names and versions may have dashes. */
export interface GemName {
  readonly name: string;
  /** With the platform behind a dash, where there is one: as the compact index begins its lines. */
  readonly version: string;
}

/** What a URL's path says on a gem server. */
export type GemsPath =
  /** `root` is what stands before `/gems/`. */
  | { readonly kind: 'gem'; readonly root: string; readonly names: readonly GemName[] }
  /** The specification of one version. */
  | { readonly kind: 'spec' }
  /** The list of all versions in the compact index. */
  | { readonly kind: 'versions' }
  | { readonly kind: 'index' }
  | { readonly kind: 'api' }
  /** The server itself. */
  | { readonly kind: 'root' }
  | { readonly kind: 'other' };

const gemFile = /^(.*)\/gems\/([A-Za-z0-9_][\w.-]*)\.gem$/;
const specFile = /\/quick\/Marshal\.4\.8\/([\w.-]+)\.gemspec\.rz$/;
/** Where a version may begin. */
const dash = /(?<=.)-(?=\d)/g;
const indexFile =
  /\/(?:names|info\/[A-Za-z0-9_][\w.-]*|(?:latest_|prerelease_)?specs\.4\.8(?:\.gz)?)$/;
const maxCandidates = 4;

/** Reads a path (query allowed); the whole one or that below a mount, which end alike. */
export function parseGemsPath(path: string): GemsPath {
  if (hasDotSegments(path)) return { kind: 'other' };
  const [, root, stem] = gemFile.exec(path) ?? [];
  const dashes = [...(stem ?? '').matchAll(dash)].slice(0, maxCandidates);
  if (root !== undefined && stem !== undefined && dashes.length > 0) {
    const names = dashes.map(({ index }) => ({
      name: stem.slice(0, index),
      version: stem.slice(index + 1),
    }));
    return { kind: 'gem', root, names };
  }
  const [, spec = ''] = specFile.exec(path) ?? [];
  if (spec.search(dash) !== -1) return { kind: 'spec' };
  if (path.endsWith('/versions') && !path.includes('/api/')) return { kind: 'versions' };
  if (indexFile.test(path)) return { kind: 'index' };
  if (path.endsWith('/') && !path.includes('/api/')) return { kind: 'root' };
  return /\/api\/v[12]\//.test(path) ? { kind: 'api' } : { kind: 'other' };
}
