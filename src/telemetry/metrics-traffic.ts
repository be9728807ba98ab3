import { Counter, Gauge, type Registry } from 'prom-client';
import { cacheOutcomes } from '../core/outcome.ts';
import { hitRatio } from './hit-ratio.ts';
import { PulledHistogram } from './pulled-histogram.ts';
import type { OutcomeLatency, RequestTotals } from './request-totals.ts';
import { statusClasses, type UpstreamTotals } from './upstream-totals.ts';

/** Registers what is known of requests and upstreams; each value is pulled when it is scraped. */
export function registerTrafficMetrics(
  registry: Registry,
  requests: RequestTotals,
  upstreams: UpstreamTotals,
): void {
  registerRequests(registry, requests);
  registerUpstreams(registry, upstreams);
}

function registerRequests(registry: Registry, totals: RequestTotals): void {
  const registers = [registry];
  new Counter({
    name: 'millrace_requests_total',
    help: 'Requests by the way they came in, ecosystem and cache outcome.',
    labelNames: ['surface', 'ecosystem', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { surface, ecosystem, outcome, requests } of totals.cells) {
        this.inc({ surface, ecosystem, outcome }, requests);
      }
    },
  });
  new Counter({
    name: 'millrace_client_bytes_total',
    help: 'Body bytes handed to clients, by cache outcome.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const { outcome, bytesOut } of totals.cells) this.inc({ outcome }, bytesOut);
    },
  });
  new Counter({
    name: 'millrace_client_aborts_total',
    help: 'Clients that left before the end of the body.',
    registers,
    collect() {
      this.reset();
      this.inc(totals.cells.reduce((sum, { aborted }) => sum + aborted, 0));
    },
  });
  new Counter({
    name: 'millrace_request_errors_total',
    help: 'Requests that met an error, by its code.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of totals.errors) this.inc({ code }, count);
    },
  });
  new Gauge({
    name: 'millrace_hit_ratio',
    help: 'Share of cacheable requests (or of their bytes) served without fetching, since the start.',
    labelNames: ['of'],
    registers,
    collect() {
      this.reset();
      const ratio = hitRatio(totals.cells);
      if (ratio.requests !== undefined) this.set({ of: 'requests' }, ratio.requests);
      if (ratio.bytes !== undefined) this.set({ of: 'bytes' }, ratio.bytes);
    },
  });
  const byOutcome = (select: keyof OutcomeLatency) =>
    cacheOutcomes.map((outcome) => ({
      labels: { outcome },
      histogram: totals.latencyOf(outcome)[select],
    }));
  new PulledHistogram({
    registry,
    name: 'millrace_request_duration_seconds',
    help: 'From the request head to the last byte of the response.',
    labelNames: ['outcome'],
    series: () => byOutcome('duration'),
  });
  new PulledHistogram({
    registry,
    name: 'millrace_request_first_byte_seconds',
    help: 'From the request head to the first byte of the response.',
    labelNames: ['outcome'],
    series: () => byOutcome('firstByte'),
  });
}

const rateLimitGauges = [
  ['remaining', 'Requests that the upstream said last it has left for this gateway.'],
  ['limit', 'Of so many in its window, where it says.'],
] as const;

function registerUpstreams(registry: Registry, totals: UpstreamTotals): void {
  const registers = [registry];
  new Counter({
    name: 'millrace_upstream_requests_total',
    help: 'Requests sent to upstreams, by the class of the answer; none: there was no answer.',
    labelNames: ['upstream', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { origin, byClass } of totals.cells) {
        for (const [index, status] of statusClasses.entries()) {
          const count = byClass[index] ?? 0;
          if (count > 0) this.inc({ upstream: origin, status }, count);
        }
      }
    },
  });
  new Counter({
    name: 'millrace_upstream_bytes_total',
    help: 'Body bytes received from upstreams.',
    labelNames: ['upstream'],
    registers,
    collect() {
      this.reset();
      for (const { origin, bytes } of totals.cells) this.inc({ upstream: origin }, bytes);
    },
  });
  new Counter({
    name: 'millrace_upstream_failures_total',
    help: 'Upstream requests that failed, before or after the head, by error code.',
    labelNames: ['upstream', 'code'],
    registers,
    collect() {
      this.reset();
      for (const { origin, failures } of totals.cells) {
        for (const [code, count] of failures) this.inc({ upstream: origin, code }, count);
      }
    },
  });
  for (const [what, help] of rateLimitGauges) {
    new Gauge({
      name: `millrace_upstream_ratelimit_${what}`,
      help,
      labelNames: ['upstream'],
      registers,
      collect() {
        this.reset();
        for (const { origin, rateLimit } of totals.cells) {
          const value = rateLimit?.[what];
          if (value !== undefined) this.set({ upstream: origin }, value);
        }
      },
    });
  }
  new Counter({
    name: 'millrace_upstream_requests_by_kind_total',
    help: 'Requests sent to upstreams, by ecosystem and kind of resource.',
    labelNames: ['ecosystem', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const { ecosystem, kind, requests } of totals.purposes) {
        this.inc({ ecosystem, kind }, requests);
      }
    },
  });
  new PulledHistogram({
    registry,
    name: 'millrace_upstream_first_byte_seconds',
    help: 'From sending an upstream request to its response head.',
    labelNames: ['upstream'],
    series: () =>
      [...totals.cells].map(({ origin, firstByte }) => ({
        labels: { upstream: origin },
        histogram: firstByte,
      })),
  });
}
