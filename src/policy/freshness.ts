import type { ArtifactMeta } from '../core/artifact-meta.ts';
import { fieldLines, fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { maxDeltaSeconds, parseDeltaSeconds } from './cache-control.ts';
import { parseHttpDate } from './http-date.ts';
import type { PolicyOptions } from './policy-options.ts';
import { type ResponseDirectives, responseDirectives } from './response-directives.ts';

/** Heuristic freshness never exceeds a day: RFC 9111 section 4.2.2 leaves the bound to the cache. */
const maxHeuristicSeconds = 24 * 60 * 60;

/** RFC 9110 section 15.1, without 206, which is never stored. */
const heuristicallyCacheable: ReadonlySet<number> = new Set([
  200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501,
]);

/** The part of a stored response that its age and freshness depend on. */
export type StoredHead = Pick<ArtifactMeta, 'status' | 'headers' | 'requestTime' | 'responseTime'>;

/** What a decision needs of a stored response, read once. */
export interface ResponsePolicy {
  readonly directives: ResponseDirectives;
  /** Milliseconds since the epoch: its Date, or the time of receipt. RFC 9110 section 6.6.1. */
  readonly date: number;
  /** RFC 9111 section 4.2.3, in milliseconds. */
  readonly correctedInitialAge: number;
  /** Seconds; undefined: the response does not say. */
  readonly explicitLifetime: number | undefined;
  /** Seconds. */
  readonly heuristicLifetime: number;
  /** The list that `directives` were chosen by. */
  readonly targetedFields: readonly string[];
}

// A memo of a pure function: a meta never changes, and the entry goes with it.
const policies = new WeakMap<StoredHead, ResponsePolicy>();

/** The parsed policy of a stored response; the same object for the same meta and list. */
export function responsePolicy(
  meta: StoredHead,
  targetedFields: readonly string[],
): ResponsePolicy {
  const known = policies.get(meta);
  if (known !== undefined && known.targetedFields === targetedFields) return known;
  const policy = readPolicy(meta, targetedFields);
  policies.set(meta, policy);
  return policy;
}

/** Age of a stored response at `now`, in whole seconds. RFC 9111 section 4.2.3. */
export function currentAge(meta: StoredHead, now: number): number {
  // The age does not depend on directives: whatever list was used before will do.
  return ageOf(policies.get(meta) ?? responsePolicy(meta, []), meta, now);
}

/** When `currentAge` next changes, in milliseconds since the epoch; it may be said too early. */
export function nextAgeAt(meta: StoredHead, now: number): number {
  const { correctedInitialAge } = policies.get(meta) ?? responsePolicy(meta, []);
  const residentTime = Math.max(0, now - meta.responseTime);
  return now + 1000 - ((correctedInitialAge + residentTime) % 1000);
}

/** As `currentAge`, from a policy at hand. */
export function ageOf(policy: ResponsePolicy, meta: StoredHead, now: number): number {
  const residentTime = Math.max(0, now - meta.responseTime);
  const age = Math.floor((policy.correctedInitialAge + residentTime) / 1000);
  // RFC 9111 section 1.2.2: what is larger is said, and taken, as 2^31.
  return Math.min(age, maxDeltaSeconds);
}

/**
 * Seconds from its generation during which a stored response is fresh: Infinity for `forever`, 0 for
 * what may never be reused without validation. RFC 9111 section 4.2.1.
 */
export function freshnessLifetime(meta: StoredHead, options: PolicyOptions): number {
  if (neverStale(meta, options)) return Infinity;
  if (options.freshness === 'validate') return 0;
  return ownLifetime(responsePolicy(meta, options.targetedFields), meta.status, options);
}

/** The URL's content never changes and this is it. */
export function neverStale(meta: StoredHead, options: PolicyOptions): boolean {
  return options.freshness === 'forever' && meta.status === 200;
}

/** The lifetime by what the response itself says, whatever the mount's rule. Seconds. */
export function ownLifetime(
  { directives, explicitLifetime, heuristicLifetime }: ResponsePolicy,
  status: number,
  options: PolicyOptions,
): number {
  if (directives.noCache) return 0; // RFC 9111 section 5.2.2.4
  if (explicitLifetime !== undefined) return explicitLifetime;
  if (status === 404 || status === 410) return options.negativeTtl;
  const inferred = options.freshness === 'explicit' ? 0 : heuristicLifetime;
  return status === 200 ? (options.defaultTtl ?? inferred) : inferred;
}

/** Whether it says how long it is fresh. RFC 9111 section 4.2.1. */
export function hasExplicitFreshness(directives: ResponseDirectives, headers: RawHeaders): boolean {
  if (directives.sMaxage !== undefined || directives.maxAge !== undefined) return true;
  return !directives.targeted && fieldValue(headers, 'expires') !== undefined;
}

/** Whether heuristic freshness may be given to it. RFC 9111 section 4.2.2. */
export function allowsHeuristic(status: number, directives: ResponseDirectives): boolean {
  return directives.public || heuristicallyCacheable.has(status);
}

function readPolicy(meta: StoredHead, targetedFields: readonly string[]): ResponsePolicy {
  const { status, headers, requestTime, responseTime } = meta;
  const directives = responseDirectives(headers, targetedFields);
  const date = parseHttpDate(fieldValue(headers, 'date') ?? '', responseTime) ?? responseTime;
  // Date counts whole seconds: the fraction of the receipt's second is no age.
  const apparentAge = Math.max(0, Math.floor((responseTime - date) / 1000) * 1000);
  const responseDelay = Math.max(0, responseTime - requestTime);
  return {
    directives,
    date,
    correctedInitialAge: Math.max(apparentAge, ageValue(headers) * 1000 + responseDelay),
    explicitLifetime: explicitLifetime(directives, headers, date, responseTime),
    heuristicLifetime: allowsHeuristic(status, directives)
      ? heuristicLifetime(headers, date, responseTime)
      : 0,
    targetedFields,
  };
}

/** RFC 9111 section 5.1: the first member counts, and one that is not delta-seconds is ignored. */
function ageValue(headers: RawHeaders): number {
  const first = fieldLines(headers, 'age')[0]?.split(',', 1)[0];
  return first === undefined ? 0 : (parseDeltaSeconds(first.trim()) ?? 0);
}

/** RFC 9111 section 4.2.1, for a shared cache. */
function explicitLifetime(
  { sMaxage, maxAge, targeted }: ResponseDirectives,
  headers: RawHeaders,
  date: number,
  responseTime: number,
): number | undefined {
  if (sMaxage !== undefined) return sMaxage;
  if (maxAge !== undefined) return maxAge;
  if (targeted) return undefined;
  const lines = fieldLines(headers, 'expires');
  if (lines.length === 0) return undefined;
  // RFC 9111 section 5.3: an invalid Expires is in the past; a repeated one is taken for invalid.
  const expires = lines.length === 1 ? parseHttpDate(lines[0] ?? '', responseTime) : undefined;
  if (expires === undefined) return 0;
  return Math.min(Math.max(0, Math.floor((expires - date) / 1000)), maxDeltaSeconds);
}

/** A tenth of the time that it had not been modified for. RFC 9111 section 4.2.2. */
function heuristicLifetime(headers: RawHeaders, date: number, responseTime: number): number {
  const modified = parseHttpDate(fieldValue(headers, 'last-modified') ?? '', responseTime);
  if (modified === undefined || modified >= date) return 0;
  return Math.min(Math.floor((date - modified) / 10_000), maxHeuristicSeconds);
}
