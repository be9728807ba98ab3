import type { Config } from './config/config.ts';
import type { CacheLookups } from './core/cache-lookups.ts';
import { canonicalUrl } from './core/canonical-url.ts';
import { GatewayError } from './core/errors.ts';
import type { MirrorExplanation } from './core/mirror-figures.ts';
import type { MemoryGuard } from './gateway-memory.ts';
import { derivedPrefix } from './pipeline/derive.ts';
import type { Serve } from './pipeline/serve.ts';
import type { Transfers } from './pipeline/transfers.ts';
import { currentAge, freshnessLifetime } from './policy/freshness.ts';
import type { PolicyOptions } from './policy/policy-options.ts';
import type { Store, StoreStats } from './storage/store.ts';
import type { AdminPurge, AdminTier, AdminView } from './surfaces/admin-view.ts';
import type { Incoming, Route } from './surfaces/router.ts';
import { redactText } from './telemetry/redact.ts';
import type { StateSample } from './telemetry/state-sample.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { Downloader } from './upstream/downloader.ts';
import type { Mirrors } from './upstream/mirrors.ts';

export interface ViewOptions {
  readonly store: Store;
  readonly serve: Serve;
  readonly transfers: Pick<Transfers, 'figures'>;
  readonly telemetry: Pick<Telemetry, 'traffic'>;
  readonly config: () => Config;
  readonly mirrors: Mirrors;
  readonly downloader: Pick<Downloader, 'explain'>;
  /** Where a request goes. */
  readonly route: (incoming: Incoming) => Route;
  /** The policy that requests for a canonical URL come under. */
  readonly policyFor: (url: string) => PolicyOptions;
  /** The listener's URL; undefined before it listens and once it closes. */
  readonly url: () => string | undefined;
  readonly version: string;
  readonly startedAt: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the admin side shows of a running gateway. */
export function createView(options: ViewOptions): AdminView {
  const { store, serve, telemetry, config, url, version, startedAt, now } = options;
  return {
    health() {
      const health = store.health();
      return { ok: true, checks: { store: health.ok ? { ok: true } : health } };
    },
    ready: () => url() !== undefined,
    stats() {
      const { fills, readers } = serve.activity;
      const { mounts, forwardProxy, publicUrl } = config();
      return {
        version,
        startedAt: new Date(startedAt).toISOString(),
        uptimeSeconds: Math.floor((now() - startedAt) / 1000),
        url: publicUrl ?? url() ?? '',
        // A proxy has no path and speaks plain HTTP: the listener itself, whatever is in front of it.
        ...(publicUrl !== undefined && { proxyUrl: url() ?? '' }),
        mounts: mounts.map(({ path, ecosystem, upstreams }) => ({
          path,
          ecosystem,
          upstreams: upstreams.map((upstream) => upstream.url),
        })),
        forwardProxy: { allow: forwardProxy.allow },
        traffic: telemetry.traffic(),
        tiers: tiersOf(store),
        fills: { active: fills, readers },
      };
    },
    async entries(text) {
      const key = canonicalUrl(text) ?? text;
      const policy = options.policyFor(key);
      const variants = await store.get(key);
      return variants.map(({ body, ...meta }) => {
        const age = currentAge(meta, now());
        const lifetime = freshnessLifetime(meta, policy);
        return {
          ...meta,
          age: Math.floor(age),
          // JSON has no infinity: null is fresh for good.
          ttl: Number.isFinite(lifetime) ? Math.floor(lifetime - age) : null,
          fresh: age < lifetime,
          size: body.size,
          sha256: body.sha256,
        };
      });
    },
    fills() {
      const { active, fills } = options.transfers.figures();
      return { active, fills: fills.map((fill) => ({ ...fill, url: redactText(fill.url) })) };
    },
    mirrors: () => options.mirrors.figures(),
    explain: (url) => explain(url, options),
    purge: (selector) => purge(store, serve, selector),
  };
}

/** As a GET through the proxy would be treated; what is stored of it tells its size. */
async function explain(
  url: string,
  { route, downloader, serve, store, now }: ViewOptions,
): Promise<MirrorExplanation | { readonly refused: string }> {
  const asked = { method: 'GET', target: url, headers: [], upgrade: false, receivedAt: now() };
  try {
    const found = route({ ...asked, remoteAddress: '127.0.0.1', localAuthority: 'localhost' });
    if (found.kind === 'landing' || found.kind === 'own')
      return { refused: 'this is the gateway itself' };
    if (found.kind === 'passthrough') return { refused: `it is passed through: ${found.reason}` };
    const [stored] = await store.get(found.resource.request.url);
    const size = stored?.status === 200 ? { size: stored.body.size } : {};
    return downloader.explain({ ...(await serve.downloadFor(found.resource)), ...size });
  } catch (error) {
    if (error instanceof GatewayError && error.origin === 'client')
      return { refused: error.message };
    throw error;
  }
}

/** What the gauges show. */
export function sampleState(
  store: Store,
  serve: Serve,
  mirrors: Mirrors,
  tunnels: { readonly open: number },
  memory: Pick<MemoryGuard, 'check'>,
  others: readonly CacheLookups[],
): StateSample {
  return {
    tiers: tiersOf(store),
    ...serve.activity,
    tunnels: tunnels.open,
    mirrors: mirrors.figures(),
    memory: memory.check(),
    lookups: [...(store.stats().lookups ?? []), ...serve.lookups, ...others],
  };
}

function tiersOf(store: Store): readonly (AdminTier & StateSample['tiers'][number])[] {
  const stats = store.stats();
  const health = store.health();
  return (stats.tiers ?? [stats]).map(({ name, ...tier }: StoreStats) => ({
    name,
    entries: tier.entries,
    bytes: tier.bytes,
    maxBytes: tier.maxBytes,
    partialBytes: tier.partialBytes,
    evictions: tier.evictions,
    healthy: name === 'memory' || health.ok,
  }));
}

/** A resource goes together with the documents made from it. */
async function purge(store: Store, serve: Serve, selector: AdminPurge): Promise<number> {
  if ('mount' in selector) {
    serve.forget(() => true);
    return store.purge(selector);
  }
  if ('prefix' in selector) {
    serve.forget((url) => url.startsWith(selector.prefix));
    return store.purge(selector);
  }
  const key = canonicalUrl(selector.url) ?? selector.url;
  serve.forget((url) => url === key);
  const [own] = await Promise.all([
    store.purge({ key }),
    store.purge({ prefix: derivedPrefix(key) }),
  ]);
  return own;
}
