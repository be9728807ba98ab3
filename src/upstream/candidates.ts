import type { UpstreamTarget } from '../core/artifact-request.ts';
import { originOf } from '../core/canonical-url.ts';
import { type RawHeaders, withoutFields } from '../core/raw-headers.ts';

/** A place to ask, and the credentials that may go there. */
export interface Candidate {
  readonly url: string;
  /** The target's own `Authorization`, in place of the client's. */
  readonly authorization?: string;
  /** Whether the client's `Authorization` and `Cookie` may go there. */
  readonly clientCredentials: boolean;
}

const credentialFields: ReadonlySet<string> = new Set(['authorization', 'cookie']);
const authorizationField: ReadonlySet<string> = new Set(['authorization']);

/**
 * The places that hold the resource. `url` belongs to the first of `upstreams`: its path below that
 * one's URL is appended to each of `ordered`, the same targets in the order to ask them. A URL outside
 * the first one's has no mirrors. Credentials go to their own origin only: the client's to the first
 * upstream's, a target's to the target's.
 */
export function candidatesFor(
  url: string,
  upstreams: readonly UpstreamTarget[],
  ordered: readonly UpstreamTarget[],
): readonly [Candidate, ...Candidate[]] {
  const [first] = upstreams;
  const home = originOf(first?.url ?? url);
  if (first === undefined || !isBelow(url, first.url)) {
    const origin = originOf(url);
    const target = upstreams.find((upstream) => originOf(upstream.url) === origin);
    return [candidate(url, target, origin === home)];
  }
  const rest = url.slice(first.url.length);
  const at = (target: UpstreamTarget): Candidate =>
    candidate(target.url + rest, target, originOf(target.url) === home);
  const [preferred = first, ...others] = ordered;
  return [at(preferred), ...others.map(at)];
}

/** The client's fields as this candidate may see them, with the candidate's own `Authorization`. */
export function fieldsFor(headers: RawHeaders, to: Candidate): RawHeaders {
  const { authorization, clientCredentials } = to;
  if (!clientCredentials) {
    const kept = withoutCredentials(headers);
    return authorization === undefined ? kept : [...kept, 'Authorization', authorization];
  }
  if (authorization === undefined) return headers;
  return [...withoutFields(headers, authorizationField), 'Authorization', authorization];
}

/** The fields without any credentials. */
export function withoutCredentials(headers: RawHeaders): RawHeaders {
  return withoutFields(headers, credentialFields);
}

function candidate(
  url: string,
  target: UpstreamTarget | undefined,
  clientCredentials: boolean,
): Candidate {
  return target?.authorization === undefined
    ? { url, clientCredentials }
    : { url, clientCredentials, authorization: target.authorization };
}

function isBelow(url: string, base: string): boolean {
  if (!url.startsWith(base)) return false;
  const next = url[base.length];
  return next === undefined || next === '/' || next === '?';
}
