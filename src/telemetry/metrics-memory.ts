import { Gauge, type Registry } from 'prom-client';
import type { MemorySample } from './state-sample.ts';

/** Registers how memory stands to its limit; the result takes over what one scrape found. */
export function registerMemoryMetrics(registry: Registry): (sample: MemorySample) => void {
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name, help, registers: [registry] });
  const pressure = gauge(
    'millrace_memory_pressure',
    'How near the process is to its memory limit: 0 not, 1 elevated, 2 high, 3 critical.',
  );
  const limit = gauge('millrace_memory_limit_bytes', 'What the process may have.');
  const tier = gauge(
    'millrace_memory_tier_bound_bytes',
    'The bound of the memory tier just now; less than millrace_store_max_bytes under pressure.',
  );
  const connections = gauge(
    'millrace_memory_connections_bound',
    'Connections at once for one body just now; less than limits.connections under pressure.',
  );
  return (sample) => {
    pressure.set(sample.pressure);
    limit.set(sample.limit);
    tier.set(sample.tierBound);
    connections.set(sample.connections);
  };
}
