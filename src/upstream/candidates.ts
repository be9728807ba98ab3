import type { UpstreamTarget } from '../core/artifact-request.ts';
import { originOf } from '../core/canonical-url.ts';
import type { MirrorTrust } from '../core/mirror-figures.ts';
import { type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import type { MappedMirror } from './mirror-rules.ts';

/** A place to ask, and the credentials that may go there. */
export interface Candidate {
  readonly url: string;
  /** Of `url`. */
  readonly origin: string;
  /** The target's own `Authorization`, in place of the client's. */
  readonly authorization?: string | undefined;
  /** Whether the client's `Authorization` and `Cookie` may go there. */
  readonly clientCredentials: boolean;
  readonly trust: MirrorTrust;
  /** Whether it may have a private address; undefined: as the request says. */
  readonly trusted?: boolean;
  readonly region?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly bandwidth?: number | undefined;
}

const credentialFields: ReadonlySet<string> = new Set(['authorization', 'cookie']);
const authorizationField: ReadonlySet<string> = new Set(['authorization']);
/** All that a mirror of somebody else's needs to know: no credential has a place in it. */
const publicFields: ReadonlySet<string> = new Set([
  'accept',
  'if-range',
  'range',
  'user-agent',
  'via',
]);

/**
 * The places among the upstreams that hold the resource, as configured. `url` belongs to the first of
 * `upstreams`: its path below that one's URL is appended to each. A URL outside the first one's has
 * no mirrors. Credentials go to their own origin only: the client's to the first upstream's, a
 * target's to the target's.
 */
export function candidatesFor(
  url: string,
  upstreams: readonly UpstreamTarget[],
): readonly [Candidate, ...Candidate[]] {
  const [first, ...others] = upstreams;
  const home = originOf(first?.url ?? url);
  if (first === undefined || !isBelow(url, first.url)) {
    const origin = originOf(url);
    const target = upstreams.find((upstream) => originOf(upstream.url) === origin);
    return [candidate(url, target, origin === home)];
  }
  if (others.length === 0) return [candidate(url, first, true)];
  const rest = url.slice(first.url.length);
  const at = (target: UpstreamTarget): Candidate =>
    candidate(target.url + rest, target, originOf(target.url) === home);
  return [at(first), ...others.map(at)];
}

/** A place that a rule sends to: no credentials go there. */
export function mappedCandidate({ url, target }: MappedMirror): Candidate {
  const { template, trust, trusted, region, concurrency, bandwidth } = target;
  return {
    url,
    origin: template.origin,
    clientCredentials: false,
    trust,
    trusted,
    ...(region !== undefined && { region }),
    ...(concurrency !== undefined && { concurrency }),
    ...(bandwidth !== undefined && { bandwidth }),
  };
}

/** The client's fields as this candidate may see them, with the candidate's own `Authorization`. */
export function fieldsFor(headers: RawHeaders, to: Candidate): RawHeaders {
  const { authorization, clientCredentials, trust } = to;
  if (trust === 'verified') return publicOnly(headers);
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

/** What must match a digest or a validator is wanted as it is, in no other coding. */
function publicOnly(headers: RawHeaders): RawHeaders {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (publicFields.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return [...kept, 'Accept-Encoding', 'identity'];
}

function candidate(
  url: string,
  target: UpstreamTarget | undefined,
  clientCredentials: boolean,
): Candidate {
  return {
    url,
    origin: originOf(url),
    clientCredentials,
    trust: target?.trust ?? 'full',
    authorization: target?.authorization,
    region: target?.region,
    concurrency: target?.concurrency,
    bandwidth: target?.bandwidth,
  };
}

function isBelow(url: string, base: string): boolean {
  if (!url.startsWith(base)) return false;
  const next = url[base.length];
  return next === undefined || next === '/' || next === '?';
}
