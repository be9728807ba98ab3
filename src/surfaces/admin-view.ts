import type { FillsFigures } from '../core/fill-figures.ts';
import type { MirrorExplanation, MirrorsFigures } from '../core/mirror-figures.ts';
import type { TrafficStats } from '../core/traffic-stats.ts';

export interface HealthCheck {
  readonly ok: boolean;
  /** One sentence for the operator, when it is not. */
  readonly reason?: string;
}

export interface Health {
  /** Whether requests can be served at all. A failed check alone does not stop that: it degrades. */
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, HealthCheck>>;
}

export interface AdminMount {
  readonly path: string;
  readonly ecosystem: string;
  /** URLs, without credentials. */
  readonly upstreams: readonly string[];
}

export interface AdminTier {
  readonly name: string;
  readonly entries: number;
  /** Bytes, the bound included. */
  readonly bytes: number;
  readonly maxBytes: number;
  readonly partialBytes: number;
  readonly evictions: number;
  readonly healthy: boolean;
}

/** What `/api/stats` gives and the page shows. */
export interface AdminStats {
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  /** How tools reach the gateway, without a trailing slash. */
  readonly url: string;
  /** The listener's own address for `http_proxy`, where `url` is another: a proxy has no path. */
  readonly proxyUrl?: string;
  readonly mounts: readonly AdminMount[];
  /** Host patterns that the forward proxy serves beyond the mounts' upstreams. */
  readonly forwardProxy: { readonly allow: readonly string[] };
  readonly traffic: TrafficStats;
  readonly tiers: readonly AdminTier[];
  readonly fills: { readonly active: number; readonly readers: number };
}

/** What to forget: one resource, all whose canonical URL begins so, or all of a mount. */
export type AdminPurge =
  | { readonly url: string }
  | { readonly prefix: string }
  | { readonly mount: string };

/** What the admin side sees of the gateway; whoever composes it knows where things are. */
export interface AdminView {
  health(): Health;
  /** Listening, and not shutting down. */
  ready(): boolean;
  stats(): AdminStats;
  /**
   * The stored variants of a canonical URL, derived documents included: status, fields, vary, age,
   * size, freshness, as JSON-ready objects. An empty list when nothing is stored.
   */
  entries(url: string): Promise<readonly object[]>;
  /** The bodies on their way from upstreams now; URLs without credentials. */
  fills(): FillsFigures;
  /** What is known of the upstreams and mirrors. */
  mirrors(): MirrorsFigures;
  /** Which mirror a GET of the canonical URL would be sent to now, and why; or why to none. */
  explain(url: string): Promise<MirrorExplanation | { readonly refused: string }>;
  /** How many keys were forgotten. */
  purge(selector: AdminPurge): Promise<number>;
}
