import { Gauge, Registry } from 'prom-client';
import { registerMemoryMetrics } from './metrics-memory.ts';
import { registerMirrorMetrics } from './metrics-mirrors.ts';
import { registerProcessMetrics } from './metrics-process.ts';
import { registerStateMetrics } from './metrics-state.ts';
import { registerTrafficMetrics } from './metrics-traffic.ts';
import type { RequestTotals } from './request-totals.ts';
import type { ProcessProbe, StateSample } from './state-sample.ts';
import type { UpstreamTotals } from './upstream-totals.ts';

export interface MetricsOptions {
  readonly requests: RequestTotals;
  readonly upstreams: UpstreamTotals;
  /** Asked for once a scrape. */
  readonly sample: () => StateSample;
  readonly probe: ProcessProbe;
  /** Of the gateway, and of Node. */
  readonly version: string;
  readonly nodeVersion: string;
}

export interface Metrics {
  /** All metrics in Prometheus's text format. */
  scrape(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Stops measuring the event loop. */
  close(): void;
}

/**
 * The metrics of one gateway, in a registry of their own. Nothing is counted here: totals are pulled
 * when somebody scrapes, so that a request costs nothing more for them.
 */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  registerTrafficMetrics(registry, options.requests, options.upstreams);
  const takeSample = registerStateMetrics(registry);
  const takeMirrors = registerMirrorMetrics(registry);
  const takeMemory = registerMemoryMetrics(registry);
  const stop = registerProcessMetrics(registry, options.probe);
  new Gauge({
    name: 'millrace_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version: options.version, node: options.nodeVersion }, 1);
  return {
    async scrape() {
      const sample = options.sample();
      takeSample(sample);
      takeMirrors(sample.mirrors);
      takeMemory(sample.memory);
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    close: stop,
  };
}
