import { type Histogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ProcessProbe } from './state-sample.ts';

const resolutionMs = 20;
const quantiles = [50, 99, 100] as const;

/** Registers memory, CPU and event-loop delay of the process; the result stops the measuring. */
export function registerProcessMetrics(registry: Registry, probe: ProcessProbe): () => void {
  const registers = [registry];
  new Gauge({
    name: 'millrace_process_memory_bytes',
    help: 'Memory of the process: rss, heap_total, heap_used, external, array_buffers.',
    labelNames: ['area'],
    registers,
    collect() {
      const { rss, heapTotal, heapUsed, external, arrayBuffers } = probe.memoryUsage();
      this.set({ area: 'rss' }, rss);
      this.set({ area: 'heap_total' }, heapTotal);
      this.set({ area: 'heap_used' }, heapUsed);
      this.set({ area: 'external' }, external);
      this.set({ area: 'array_buffers' }, arrayBuffers);
    },
  });
  new Counter({
    name: 'millrace_process_cpu_seconds_total',
    help: 'CPU time of the process.',
    labelNames: ['mode'],
    registers,
    collect() {
      const { user, system } = probe.cpuUsage();
      this.reset();
      this.inc({ mode: 'user' }, user / 1e6);
      this.inc({ mode: 'system' }, system / 1e6);
    },
  });
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  new Gauge({
    name: 'millrace_event_loop_delay_seconds',
    help: 'How late the event loop was since the last scrape; quantile 1 is the worst.',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const percentile of quantiles) {
        this.set({ quantile: percentile / 100 }, lateness(delay, percentile));
      }
      delay.reset();
    },
  });
  return () => {
    delay.disable();
  };
}

/** Seconds. The histogram holds the time between two ticks, the interval itself included. */
function lateness(delay: Histogram, percentile: number): number {
  if (delay.count === 0) return 0;
  const value = percentile === 100 ? delay.max : delay.percentile(percentile);
  return Math.max(0, value / 1e9 - resolutionMs / 1e3);
}
