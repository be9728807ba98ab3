import type { ArtifactMeta } from '../core/artifact-meta.ts';
import {
  ageOf,
  neverStale,
  ownLifetime,
  type ResponsePolicy,
  responsePolicy,
} from './freshness.ts';
import type { PolicyOptions, RequestView } from './policy-options.ts';
import { type RequestDirectives, requestDirectives } from './request-directives.ts';
import type { ResponseDirectives } from './response-directives.ts';
import { excludeEachOther, matchedLast, matchesVary } from './vary.ts';

/** A stored response that the request selects; whole seconds, `ttl` is negative once it is stale. */
interface Selected {
  readonly meta: ArtifactMeta;
  readonly age: number;
  readonly ttl: number;
}

export type Decision =
  | ({ readonly kind: 'fresh' } & Selected)
  /** May be served while it is validated behind the client's back. RFC 5861 section 3. */
  | ({ readonly kind: 'stale-while-revalidate' } & Selected)
  /** May be served as it is: the client asked for it with max-stale. */
  | ({ readonly kind: 'stale' } & Selected)
  | ({ readonly kind: 'validate'; readonly reason: 'stale' | 'request' } & Selected)
  | { readonly kind: 'miss'; readonly reason: 'uri-miss' | 'vary-miss' }
  /** To be answered with a 504. RFC 9111 section 5.2.1.7. */
  | { readonly kind: 'only-if-cached' };

/**
 * What to do with a GET or HEAD, given the stored responses of its URL, at `now` (milliseconds since
 * the epoch). RFC 9111 section 4.
 */
export function decide(
  request: RequestView,
  variants: readonly ArtifactMeta[],
  options: PolicyOptions,
  now: number,
): Decision {
  const asks = requestDirectives(request.headers);
  const meta = select(request, variants, options);
  if (meta === undefined) {
    if (asks.onlyIfCached) return { kind: 'only-if-cached' };
    return { kind: 'miss', reason: variants.length === 0 ? 'uri-miss' : 'vary-miss' };
  }
  const policy = responsePolicy(meta, options.targetedFields);
  const age = ageOf(policy, meta, now);
  const ttl = lifetime(policy, meta, options) - age;
  const use = reuse(asks, policy, options, age, ttl);
  switch (use) {
    case 'fresh':
    case 'stale':
    case 'stale-while-revalidate':
      return { kind: use, meta, age, ttl };
    default:
      if (asks.onlyIfCached) return { kind: 'only-if-cached' };
      return {
        kind: 'validate',
        reason: use === 'validate-stale' ? 'stale' : 'request',
        meta,
        age,
        ttl,
      };
  }
}

/** Why there is no good answer: the status of a bad one, or that none came. */
export type UpstreamFailure = number | 'no-answer';

/** The statuses that RFC 5861 section 4 takes for an error. */
const errorStatuses: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/**
 * Whether a stored response may be served although its validation failed (a 5xx, no answer, or a 429
 * where that counts), at `now`. A client's no-cache insists on the origin; its other wishes (max-age, min-fresh) do not make
 * an error better than what is stored. RFC 9111 sections 4.2.4 and 4.3.3, RFC 5861 section 4.
 */
export function mayServeStaleOnError(
  request: RequestView,
  meta: ArtifactMeta,
  options: PolicyOptions,
  now: number,
  failure: UpstreamFailure,
): boolean {
  const asks = requestDirectives(request.headers);
  const throttled = failure === 429 && options.staleIfThrottled === true;
  if (asks.noCache || (failure !== 'no-answer' && failure < 500 && !throttled)) return false;
  if (neverStale(meta, options)) return true;
  const policy = responsePolicy(meta, options.targetedFields);
  const staleness = ageOf(policy, meta, now) - ownLifetime(policy, meta.status, options);
  // Fresh in its own words: only the mount's rule or the client wanted a validation.
  if (staleness < 0) return true;
  // An error that was stored is no better than the one at hand.
  if (forbidsStale(policy.directives) || meta.status >= 500) return false;
  const error = failure === 'no-answer' ? options.staleOnDisconnect : errorStatuses.has(failure);
  if (!error && !throttled) return false;
  const granted = policy.directives.staleIfError ?? asks.staleIfError ?? options.staleIfError;
  return staleness < Math.min(granted, asks.staleIfError ?? Infinity);
}

type Reuse = 'fresh' | 'stale' | 'stale-while-revalidate' | 'validate-stale' | 'validate-request';

/** RFC 9111 section 4: fresh, or allowed to be served stale, or successfully validated. */
function reuse(
  asks: RequestDirectives,
  { directives }: ResponsePolicy,
  options: PolicyOptions,
  age: number,
  ttl: number,
): Reuse {
  if (asks.noCache) return 'validate-request'; // 5.2.1.4
  if (options.freshness === 'validate') return 'validate-stale';
  // 5.2.1.1; every stored response has some age, so 0 asks for validation. What never changes is as
  // good as new however old it is: apt asks so for all indexes, those under their digest too.
  const tooOld =
    ttl !== Infinity && asks.maxAge !== undefined && (asks.maxAge === 0 || age > asks.maxAge);
  if (ttl > 0) return tooOld || ttl < asks.minFresh ? 'validate-request' : 'fresh'; // 4.2, 5.2.1.3
  if (tooOld || asks.minFresh > 0 || forbidsStale(directives)) return 'validate-stale';
  const staleness = -ttl;
  // 5.2.1.1: a max-age without max-stale is for fresh responses only.
  if (asks.maxAge !== undefined && asks.maxStale === undefined) return 'validate-stale';
  if (staleness < (directives.staleWhileRevalidate ?? 0)) return 'stale-while-revalidate';
  return asks.maxStale !== undefined && staleness <= asks.maxStale ? 'stale' : 'validate-stale';
}

/** RFC 9111 section 4.2.4: by the response's own words it is not to be served stale. */
function forbidsStale(directives: ResponseDirectives): boolean {
  return (
    directives.mustRevalidate ||
    directives.proxyRevalidate ||
    directives.sMaxage !== undefined ||
    directives.noCache
  );
}

function lifetime(policy: ResponsePolicy, meta: ArtifactMeta, options: PolicyOptions): number {
  if (neverStale(meta, options)) return Infinity;
  return options.freshness === 'validate' ? 0 : ownLifetime(policy, meta.status, options);
}

/** The most recent variant that matches. RFC 9111 sections 4 and 4.1. */
function select(
  { method, headers }: RequestView,
  variants: readonly ArtifactMeta[],
  { targetedFields }: PolicyOptions,
): ArtifactMeta | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const known = variants.length > 1 ? onlyMatch(variants, headers) : undefined;
  if (known !== undefined) return known;
  let best: ArtifactMeta | undefined;
  let bestDate = 0;
  for (const meta of variants) {
    if (!matchesVary(meta.vary, headers)) continue;
    const date = variants.length === 1 ? 0 : responsePolicy(meta, targetedFields).date;
    if (best !== undefined && date <= bestDate) continue;
    best = meta;
    bestDate = date;
  }
  return best;
}

/** The variant of several that matched last, where that leaves none of the others a chance. */
function onlyMatch(
  variants: readonly ArtifactMeta[],
  headers: RequestView['headers'],
): ArtifactMeta | undefined {
  const known = variants.find(({ vary }) => matchedLast(vary, headers));
  if (known === undefined) return undefined;
  const alone = variants.every(
    (other) => other === known || excludeEachOther(other.vary, known.vary),
  );
  return alone ? known : undefined;
}
