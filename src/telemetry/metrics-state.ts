import { Counter, Gauge, type Registry } from 'prom-client';
import type { StateSample, TierSample } from './state-sample.ts';

/**
 * Registers the gauges of the store and the fills; the result takes over a sample, which is asked for
 * once a scrape and not once a gauge.
 */
export function registerStateMetrics(registry: Registry): (sample: StateSample) => void {
  const tierGauge = (
    name: string,
    help: string,
    value: (tier: TierSample) => number,
  ): ((tier: TierSample) => void) => {
    const gauge = new Gauge({ name, help, labelNames: ['tier'], registers: [registry] });
    return (tier) => gauge.set({ tier: tier.name }, value(tier));
  };
  const updates = [
    tierGauge('millrace_store_bytes', 'Bytes held against the bound.', (tier) => tier.bytes),
    tierGauge('millrace_store_max_bytes', 'The bound.', (tier) => tier.maxBytes),
    tierGauge(
      'millrace_store_partial_bytes',
      'Bytes of bodies that are still arriving.',
      (tier) => tier.partialBytes,
    ),
    tierGauge(
      'millrace_store_entries',
      'Keys with at least one stored response.',
      (tier) => tier.entries,
    ),
    tierGauge(
      'millrace_store_healthy',
      '1 while the tier stores; 0 while it is bypassed.',
      (tier) => (tier.healthy ? 1 : 0),
    ),
  ];
  const evictions = new Counter({
    name: 'millrace_store_evictions_total',
    help: 'Entries that gave way to others.',
    labelNames: ['tier'],
    registers: [registry],
  });
  const lookups = new Counter({
    name: 'millrace_cache_lookups_total',
    help: 'Look-ups in internal caches, by whether they knew.',
    labelNames: ['cache', 'result'],
    registers: [registry],
  });
  const fills = new Gauge({
    name: 'millrace_fills_active',
    help: 'Bodies being fetched into the cache.',
    registers: [registry],
  });
  const readers = new Gauge({
    name: 'millrace_fill_readers',
    help: 'Clients that are served from a fill under way.',
    registers: [registry],
  });
  const tunnels = new Gauge({
    name: 'millrace_tunnels',
    help: 'Tunnels (CONNECT) that are open.',
    registers: [registry],
  });
  return (sample) => {
    evictions.reset();
    for (const tier of sample.tiers) {
      for (const update of updates) update(tier);
      evictions.inc({ tier: tier.name }, tier.evictions);
    }
    lookups.reset();
    for (const { cache, hits, misses } of sample.lookups) {
      lookups.inc({ cache, result: 'hit' }, hits);
      lookups.inc({ cache, result: 'miss' }, misses);
    }
    fills.set(sample.fills);
    readers.set(sample.readers);
    tunnels.set(sample.tunnels);
  };
}
