import type { SurfaceName } from '../core/artifact-request.ts';
import { type CacheOutcome, cacheOutcomes } from '../core/outcome.ts';
import type { KindStats, TrafficStats, UpstreamStats } from '../core/traffic-stats.ts';
import { hitRatio } from './hit-ratio.ts';
import type { RequestTotals } from './request-totals.ts';
import { requestsOf, type UpstreamCell, type UpstreamTotals } from './upstream-totals.ts';

/** The running totals as `/api/stats` shows them; made anew for each call. */
export function trafficStats(requests: RequestTotals, upstreams: UpstreamTotals): TrafficStats {
  const byOutcome = Object.fromEntries(cacheOutcomes.map((name) => [name, 0])) as Record<
    CacheOutcome,
    number
  >;
  const bySurface: Partial<Record<SurfaceName, number>> = {};
  const byEcosystem: Record<string, number> = {};
  let total = 0;
  let aborted = 0;
  let toClients = 0;
  for (const cell of requests.cells) {
    byOutcome[cell.outcome] += cell.requests;
    bySurface[cell.surface] = (bySurface[cell.surface] ?? 0) + cell.requests;
    byEcosystem[cell.ecosystem] = (byEcosystem[cell.ecosystem] ?? 0) + cell.requests;
    total += cell.requests;
    aborted += cell.aborted;
    toClients += cell.bytesOut;
  }
  const upstreamStats = [...upstreams.cells].map(statsOf);
  const fromUpstreams = upstreamStats.reduce((sum, { bytes }) => sum + bytes, 0);
  const ratio = hitRatio(requests.cells);
  return {
    requests: {
      total,
      aborted,
      byOutcome,
      bySurface,
      byEcosystem,
      byKind: kindStats(requests, upstreams),
      errors: Object.fromEntries(requests.errors),
    },
    bytes: { toClients, fromUpstreams, saved: Math.max(0, toClients - fromUpstreams) },
    hitRatio: { requests: ratio.requests ?? null, bytes: ratio.bytes ?? null },
    upstreams: upstreamStats,
  };
}

function kindStats(requests: RequestTotals, upstreams: UpstreamTotals): KindStats[] {
  const rows = new Map<string, { -readonly [member in keyof KindStats]: KindStats[member] }>();
  const row = ({ ecosystem, kind }: Pick<KindStats, 'ecosystem' | 'kind'>) => {
    const key = `${ecosystem} ${kind}`;
    const known = rows.get(key) ?? {
      ecosystem,
      kind,
      requests: 0,
      forwarded: 0,
      upstreamRequests: 0,
      bytesToClients: 0,
    };
    rows.set(key, known);
    return known;
  };
  for (const cell of requests.cells) {
    const stats = row(cell);
    stats.requests += cell.requests;
    stats.forwarded += cell.forwarded;
    stats.bytesToClients += cell.bytesOut;
  }
  for (const purpose of upstreams.purposes) row(purpose).upstreamRequests += purpose.requests;
  return [...rows.values()];
}

function statsOf(cell: Readonly<UpstreamCell>): UpstreamStats {
  const { rateLimit } = cell;
  const { count, sumMs } = cell.firstByte;
  return {
    origin: cell.origin,
    requests: requestsOf(cell),
    bytes: cell.bytes,
    failures: Object.fromEntries(cell.failures),
    meanFirstByteMs: count === 0 ? null : Math.round((sumMs / count) * 10) / 10,
    ...(rateLimit && { rateLimit: { ...rateLimit, at: new Date(rateLimit.at).toISOString() } }),
  };
}
