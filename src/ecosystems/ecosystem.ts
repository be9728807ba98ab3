import type { Classification, ClassifyRequest } from '../core/classification.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { TokenRules } from '../core/token-rules.ts';

/** What the gateway says for itself. */
export interface OwnAnswer {
  readonly status: number;
  /** Without `Content-Length` and `Date`. */
  readonly headers: RawHeaders;
  readonly body: string;
  /** For the log. */
  readonly reason: string;
}

/** A request target that names its upstream otherwise than by the path of a mount. */
export interface Addressed {
  /** What the upstream is called; in lower case. */
  readonly name: string;
  /** The path below which the ecosystem's names begin: `/v2`. */
  readonly root: string;
  /** The target without that name. */
  readonly target: string;
}

/** Pure knowledge of one package ecosystem: no I/O, no state, no clock. */
export interface Ecosystem {
  /** The name in configuration, log and metrics. */
  readonly id: string;
  /** Hosts (exact, lower case) whose requests are of this ecosystem on the forward proxy. */
  readonly hosts: readonly string[];
  /**
   * What several upstreams of one mount are to each other. `mirrors` (without it): copies, any of
   * which may serve. `repositories`: places of their own, asked in their order, the next one only
   * where all before it answer 404 or 410; one that fails ends the search.
   */
  readonly upstreams?: 'mirrors' | 'repositories';
  /** Whether a forward-proxy request to an unknown host is of this ecosystem, by its shape. */
  recognises?(request: ClassifyRequest): boolean;
  /** What to do with a GET or HEAD; other methods never get here. */
  classify(request: ClassifyRequest): Classification;
  /**
   * Where a path below the mount leads when that is not the upstream's own path (an escape for files
   * on other hosts); an absolute URL on the upstream's or an allowed host, or undefined for the
   * ordinary way. `upstreamUrl` is that of `ClassifyRequest`.
   */
  resolve?(path: string, upstreamUrl: string): string | undefined;
  /**
   * The one spelling of a path (query allowed) below an upstream that servers of this ecosystem take to
   * be the same as others, so that clients who spell it differently share an entry, whichever surface
   * they use; undefined: as it is.
   */
  spelling?(path: string): string | undefined;
  /**
   * Canonical URLs of what a request by a method other than GET and HEAD changes, besides its own: they
   * are not served again without asking the upstream. RFC 9111 section 4.4.
   */
  changedBy?(request: ClassifyRequest): readonly string[];
  /**
   * Whether a path that no mount covers is one that clients of this ecosystem ask for when they drop
   * their mount's path; the ecosystem's first mount may then serve it as if below itself.
   */
  claims?(path: string): boolean;
  /** The upstream that a target names; undefined: it names none. */
  addressed?(target: string): Addressed | undefined;
  /** The names by which `addressed` may mean the upstream with this canonical URL; in lower case. */
  namesOf?(upstreamUrl: string): readonly string[];
  /** What is answered by the gateway itself below a mount; all as in `ClassifyRequest`. */
  answer?(request: {
    readonly method: string;
    readonly path: string;
    readonly upstreamUrl: string;
  }): OwnAnswer | undefined;
  /** Where upstreams want tokens: how to come by one. */
  readonly tokens?: TokenRules;
  /** The gateway's credentials are for GET and HEAD: what passes through has the client's own. */
  readonly readOnly?: boolean;
}
