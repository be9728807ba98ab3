import type { Digest } from '../core/digest.ts';
import { digestFromText } from '../core/digest-text.ts';

/** What a path of the distribution API names; `digest` undefined: in an unknown algorithm. */
export type OciPath =
  | { readonly kind: 'base' }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: Digest | undefined }
  /** A manifest by its digest. */
  | { readonly kind: 'manifest'; readonly name: string; readonly digest: Digest | undefined }
  | { readonly kind: 'tag'; readonly name: string }
  /** What grows: tags and referrers of a repository. */
  | { readonly kind: 'list'; readonly name: string }
  /** All repositories. */
  | { readonly kind: 'catalog' }
  /** No name that the API has, and one that two readers might take for different ones. */
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'other' };

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repository = new RegExp(`^${component}(?:/${component})*$`);
/** No repository is called so much: it bounds what the pattern has to look at. */
const maxNameLength = 512;
const tag = /^\w[\w.-]{0,127}$/;
const digest = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[\w=-]+$/;

/**
 * Reads a URL's path, query allowed: what follows its first segment `v2`.
 * OCI distribution specification, "Endpoints".
 */
export function parseOciPath(pathAndQuery: string): OciPath {
  const path = pathAndQuery.replace(/\?.*$/s, '');
  const at = path.search(/\/v2(?:\/|$)/);
  if (at === -1) return { kind: 'other' };
  const rest = path.slice(at + '/v2/'.length);
  if (rest === '') return { kind: 'base' };
  // Names and references need no escapes: an encoded slash is a slash to one reader and none to another.
  if (/[%\\]/.test(rest)) return { kind: 'ambiguous' };
  if (rest === '_catalog') return { kind: 'catalog' };
  // The last one counts: a repository may be called `manifests`.
  const [, name = '', what, reference = ''] =
    /^(.+)\/(blobs|manifests|tags|referrers)\/([^/]+)$/s.exec(rest) ?? [];
  if (name.length > maxNameLength || !repository.test(name)) return { kind: 'other' };
  if (what === 'tags') return reference === 'list' ? { kind: 'list', name } : { kind: 'other' };
  if (what === 'manifests' && tag.test(reference)) return { kind: 'tag', name };
  if (!digest.test(reference)) return { kind: 'other' };
  if (what === 'referrers') return { kind: 'list', name };
  const kind = what === 'blobs' ? 'blob' : 'manifest';
  return { kind, name, digest: digestFromText(reference) };
}
