import type { Classification } from '../core/classification.ts';

/** Facts about published versions: they carry their own freshness, and clients verify them. */
const cached = /^npm\/v1\/(?:attestations\/|keys$)/;

const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    /^(?:whoami|user\/|org\/|team\/|npm\/v1\/(?:user|tokens|hooks))/,
    'the answer is one user’s own',
  ],
  [/^(?:v1\/search|all)(?:$|\/)/, 'search results are not cached'],
  [/^npm\/v1\/(?:security|advisories)/, 'advisories must be current'],
  [/^package\/.+\/dist-tags/, 'dist-tags are read to be edited'],
  [/^at\//, 'no tarball on an allowed host'],
];

/** What to do with `/-/<endpoint>` of a registry: most of it is not for the cache. */
export function endpointClassification(endpoint: string): Classification {
  if (cached.test(endpoint)) return { kind: 'index', freshness: 'rfc9111' };
  const known = reasons.find(([pattern]) => pattern.test(endpoint));
  return { kind: 'passthrough', reason: known?.[1] ?? 'a service of the registry, not a package' };
}
