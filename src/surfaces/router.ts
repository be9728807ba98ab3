import type { ArtifactRequest, SurfaceName, UpstreamTarget } from '../core/artifact-request.ts';
import { canonicalUrl, hasDotSegments, originOf, pathOf } from '../core/canonical-url.ts';
import type { Classification, ClassifyRequest } from '../core/classification.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import type { TokenRules } from '../core/token-rules.ts';
import type { Ecosystem, OwnAnswer } from '../ecosystems/ecosystem.ts';
import type { Resource } from '../pipeline/resource.ts';
import type { PolicyOptions } from '../policy/policy-options.ts';
import type { Admission, ForwardProxyRules } from './forward-proxy.ts';
import { type Mount, type MountPolicy, type MountTable, restBelow } from './mount-table.ts';
import { type Arrival, type PublicUrlOptions, publicBase } from './public-base.ts';
import { freshnessOf, resourceOf } from './resource-of.ts';

/** A request as it came in over a socket. */
export interface Incoming extends Arrival {
  readonly method: string;
  /** The request target: origin-form or absolute-form. */
  readonly target: string;
  /** The connection is to speak another protocol from then on. */
  readonly upgrade: boolean;
  readonly receivedAt: number;
  /** `https://host:port` that the client meant, where its connection to there was intercepted. */
  readonly origin?: string;
}

/** Where a request goes. */
export type Route =
  | { readonly kind: 'resource'; readonly resource: Resource }
  | {
      readonly kind: 'passthrough';
      readonly request: ArtifactRequest;
      /** The one upstream it goes to. */
      readonly target: UpstreamTarget;
      readonly reason: string;
      /** Canonical URLs of what it changes besides its own, by an unsafe method. */
      readonly changes: readonly string[];
      /** What a GET of the same URL would get, where the response may stand for that. */
      readonly asGet?: Resource;
    }
  /** The gateway answers for itself. */
  | {
      readonly kind: 'own';
      readonly answer: OwnAnswer;
      readonly ecosystem: string;
      readonly mount: string;
    }
  | { readonly kind: 'landing'; readonly base: string };

export interface RouterOptions extends PublicUrlOptions {
  readonly table: MountTable;
  readonly forwardProxy: ForwardProxyRules;
  /** The ecosystem of a proxied request outside every mount. */
  readonly recognise: (request: ClassifyRequest) => Ecosystem;
  readonly forwardPolicy: MountPolicy;
}

/** What both surfaces find out before the request is classified. */
interface Found {
  readonly surface: SurfaceName;
  readonly url: string;
  readonly path: string;
  readonly mount?: Mount;
  readonly upstreams: readonly UpstreamTarget[];
  readonly trusted: boolean;
  readonly publicBase?: string;
}

/** Turns a request into a resource, a passthrough or a refusal (a GatewayError of origin `client`). */
export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  route(incoming: Incoming): Route {
    const absolute = /^[a-z][a-z0-9+.-]*:/i.test(incoming.target);
    if (!absolute && !incoming.target.startsWith('/')) {
      throw refuse('http_request_error', 'the request target is neither a path nor a URL');
    }
    // RFC 9112 section 3.2: a target has no fragment.
    if (incoming.target.includes('#')) {
      throw refuse('http_request_error', 'the request target has a fragment');
    }
    // It would show what the gateway adds for its upstreams. RFC 9110 section 9.3.8.
    if (incoming.method === 'TRACE') throw refuse('http_request_denied', 'TRACE is not served');
    if (hasDotSegments(absolute ? pathOf(incoming.target) : incoming.target)) {
      throw refuse('http_request_error', 'the path holds a dot segment: name the file directly');
    }
    const found = this.#find(incoming, absolute);
    return 'kind' in found ? found : this.#classify(incoming, found);
  }

  /** The policy that a GET of a canonical URL comes under, whether or not the proxy would serve it. */
  policyFor(url: string): PolicyOptions {
    const match = this.#options.table.matchUrl(url);
    const question = { method: 'GET', url, path: match?.rest || pathOf(url), headers: [] };
    const upstreamUrl = match?.mount.upstreams[0].url;
    const asked = upstreamUrl === undefined ? question : { ...question, upstreamUrl };
    const ecosystem = match?.mount.ecosystem ?? this.#options.recognise(asked);
    const policy = match?.mount.policy ?? this.#options.forwardPolicy;
    return { ...policy, freshness: freshnessOf(ecosystem.classify(asked)) };
  }

  #find(incoming: Incoming, absolute: boolean): Found | Route {
    const { origin, target, headers } = incoming;
    if (origin === undefined) {
      return absolute ? this.#proxied(target, 'forward-proxy') : this.#mounted(incoming);
    }
    // RFC 9110 section 7.4: who meant another server than the one that the connection is to is told so.
    const host = fieldValue(headers, 'host');
    const named = absolute ? canonicalUrl(target) : canonicalUrl(`https://${host}/`);
    if (named === undefined || originOf(named) !== origin) {
      throw refuse(
        'http_request_error',
        `the request is not for ${origin}, where its tunnel leads`,
      );
    }
    return this.#proxied(absolute ? target : `${origin}${target}`, 'connect');
  }

  #mounted(incoming: Incoming): Found | Route {
    const { table } = this.#options;
    const base = publicBase(this.#options, incoming);
    const match = table.match(incoming.target);
    if (!match) {
      if (incoming.target === '/' && isRead(incoming.method)) return { kind: 'landing', base };
      const paths = table.mounts.map(({ path }) => path).join(', ') || 'none';
      throw refuse('destination_not_found', `no mount has this path; the mounts are: ${paths}`);
    }
    const { mount, rest } = match;
    const path = rest.startsWith('/') ? rest : `/${rest}`;
    const [first] = mount.upstreams;
    const { method } = incoming;
    const own = mount.ecosystem.answer?.({ method, path, upstreamUrl: first.url });
    if (own) return { kind: 'own', answer: own, ecosystem: mount.ecosystem.id, mount: mount.path };
    const resolved = mount.ecosystem.resolve?.(rest, first.url);
    const url = canonicalUrl(resolved ?? `${first.url}${spelled(mount, rest)}`);
    if (url === undefined) throw refuse('http_request_error', 'the path does not make a URL');
    // A file on another host has no other source than that.
    const elsewhere = restBelow(first.url, url) === undefined;
    return {
      surface: 'mount',
      url,
      path,
      mount,
      upstreams: elsewhere ? [] : mount.upstreams,
      // A host that the operator named for the mount may be a private one.
      trusted: !elsewhere || this.isUpstream(url) || mount.hosts.includes(new URL(url).host),
      publicBase: mount.path === '/' ? base : `${base}${mount.path}`,
    };
  }

  #proxied(target: string, surface: 'forward-proxy' | 'connect'): Found {
    const { table, forwardProxy } = this.#options;
    const url = canonicalUrl(target);
    if (url === undefined) {
      throw refuse('http_request_error', 'the proxy takes http:// URLs with a host');
    }
    const match = table.matchUrl(url);
    if (!match) {
      return {
        surface,
        url,
        path: pathOf(url),
        upstreams: [],
        trusted: admission(forwardProxy, url, surface) === 'trusted',
      };
    }
    // The same resource as below the mount: the same key, whichever of its upstreams was named.
    const { mount, rest } = match;
    return {
      surface,
      url: `${mount.upstreams[0].url}${spelled(mount, rest)}`,
      path: rest.startsWith('/') ? rest : `/${rest}`,
      mount,
      upstreams: mount.upstreams,
      trusted: true,
    };
  }

  #classify(incoming: Incoming, found: Found): Route {
    const { mount, surface, url, path, upstreams, trusted } = found;
    const upstreamUrl = mount?.upstreams[0].url;
    const headers = clientFields(incoming.headers, found);
    const question: ClassifyRequest = {
      method: incoming.method,
      url,
      path,
      headers,
      ...(upstreamUrl !== undefined && { upstreamUrl }),
      ...(found.publicBase !== undefined && { publicBase: found.publicBase }),
    };
    const ecosystem = mount?.ecosystem ?? this.#options.recognise(question);
    const request: ArtifactRequest = {
      surface,
      method: incoming.method,
      url,
      headers,
      upstreams,
      trusted,
      ecosystem: ecosystem.id,
      receivedAt: incoming.receivedAt,
      ...(mount && { mount: mount.path }),
      ...(found.publicBase !== undefined && { publicBase: found.publicBase }),
    };
    const classification = this.#passthroughReason(incoming) ?? ecosystem.classify(question);
    const terms = mount ?? { policy: this.#options.forwardPolicy };
    if (classification.kind === 'passthrough') {
      const { authorization, ...first } = upstreams[0] ?? {};
      const withOwn = authorization !== undefined && ecosystem.readOnly !== true;
      const target = { ...first, url, ...(withOwn && { authorization }) };
      // Of package ecosystems it is known what their URLs mean; a POST means something else.
      const asGet =
        request.method === 'POST' && ecosystem.id === 'generic'
          ? ecosystem.classify({ ...question, method: 'GET' })
          : undefined;
      return {
        kind: 'passthrough',
        request,
        target,
        reason: classification.reason,
        changes: isRead(request.method) ? [] : (ecosystem.changedBy?.(question) ?? []),
        ...(asGet &&
          asGet.kind !== 'passthrough' && {
            asGet: resourceOf({ ...request, method: 'GET' }, asGet, terms),
          }),
      };
    }
    return { kind: 'resource', resource: resourceOf(request, classification, terms) };
  }

  #passthroughReason({ method, upgrade }: Incoming): Classification | undefined {
    if (!isRead(method)) return { kind: 'passthrough', reason: `method ${method}` };
    return upgrade ? { kind: 'passthrough', reason: 'upgrade' } : undefined;
  }

  /** How the upstream with this URL hands out tokens, and the gateway's own credentials for it. */
  tokensAt(url: string): { rules: TokenRules; authorization?: string } | undefined {
    const { ecosystem, upstreams = [] } = this.#options.table.matchUrl(url)?.mount ?? {};
    const rules = ecosystem?.tokens;
    if (rules === undefined) return undefined;
    const upstream = upstreams.find((each) => restBelow(each.url, url) !== undefined);
    const authorization = upstream?.authorization;
    return { rules, ...(authorization !== undefined && { authorization }) };
  }

  /** Whether the operator named the URL, or a place above it, as an upstream. */
  isUpstream(url: string): boolean {
    return this.#options.table.matchUrl(url) !== undefined;
  }
}

function spelled({ ecosystem }: Mount, rest: string): string {
  return ecosystem.spelling?.(rest) ?? rest;
}

function admission(
  rules: ForwardProxyRules,
  url: string,
  surface: 'forward-proxy' | 'connect',
): Admission {
  if (surface === 'forward-proxy') return rules.admit(url);
  const { hostname, port } = new URL(url);
  return rules.admitTunnel(hostname, Number(port || 443));
}

const credentials: ReadonlySet<string> = new Set(['authorization', 'cookie']);
const authorizationOnly: ReadonlySet<string> = new Set(['authorization']);

/** What the client says to the resource: its credentials go to the mount's own origin at the most. */
function clientFields(headers: RawHeaders, { mount, url, upstreams }: Found): RawHeaders {
  if (mount && originOf(url) !== originOf(mount.upstreams[0].url)) {
    return withoutFields(headers, credentials);
  }
  // The gateway's own credentials take the place of the client's, so the response is not the client's alone.
  return upstreams[0]?.authorization === undefined
    ? headers
    : withoutFields(headers, authorizationOnly);
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function refuse(code: GatewayError['code'], message: string): GatewayError {
  return new GatewayError(code, message, { origin: 'client' });
}
