import type { RequestRecord } from '../core/request-record.ts';
import type { TrafficStats } from '../core/traffic-stats.ts';
import type { UpstreamObserver } from '../core/upstream-observer.ts';
import { LineEnds } from './line-ends.ts';
import type { RootLogger } from './logger.ts';
import { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts';
import { PreparedRecord } from './prepared-record.ts';
import { requestLine, requestMembers } from './request-line.ts';
import { RequestTotals } from './request-totals.ts';
import { trafficStats } from './stats.ts';
import { UpstreamTotals } from './upstream-totals.ts';

export interface TelemetryOptions
  extends Pick<MetricsOptions, 'sample' | 'probe' | 'version' | 'nodeVersion'> {
  readonly logger: RootLogger;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Origins of the mounts' upstreams: they always have figures of their own. */
  readonly origins: readonly string[];
}

/** Where every request ends: one log line, the totals and, at a scrape, the metrics. */
export interface Telemetry extends Metrics {
  /** Takes a finished request, once. The record is not changed and not kept. */
  record(record: RequestRecord): void;
  /** Takes requests like this one, which was a hit; not this one itself. */
  prepare(record: RequestRecord): PreparedRecord;
  readonly upstream: UpstreamObserver;
  /** Totals since the start. */
  traffic(): TrafficStats;
  /** Adds origins with figures of their own, after a reload. */
  keepOrigins(origins: readonly string[]): void;
}

/** Builds the telemetry of one gateway; `close` it in the end. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { logger, clock } = options;
  const requests = new RequestTotals();
  const upstreams = new UpstreamTotals(options.origins);
  const ends = new LineEnds();
  const metrics = createMetrics({ ...options, requests, upstreams });
  return {
    ...metrics,
    record(record) {
      const durationMs = record.durationMs ?? Math.max(0, clock() - record.startedAt);
      requests.add(record, durationMs);
      // A failure is ours to look into; what a client did wrong is not.
      if (record.outcome === 'failed') logger.warn(requestLine(record, durationMs), 'request');
      else if (logger.writesRequests) logger.request(requestMembers(record, durationMs));
    },
    prepare: (record) => new PreparedRecord(record, { logger, requests, ends, clock }),
    close() {
      logger.flush();
      metrics.close();
    },
    upstream: upstreams,
    traffic: () => trafficStats(requests, upstreams),
    keepOrigins: (origins) => upstreams.keep(origins),
  };
}
