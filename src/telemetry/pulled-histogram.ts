import { Histogram, type Registry } from 'prom-client';
import { type LatencyHistogram, latencyBounds } from './histogram.ts';

export interface HistogramSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly histogram: Readonly<LatencyHistogram>;
}

export interface PulledHistogramOptions {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** All series, asked for at each scrape; those without an observation are left out. */
  readonly series: () => Iterable<HistogramSeries>;
}

interface Sample {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly sharedLabels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * A histogram whose counts are kept elsewhere: prom-client's own `observe` makes a string for each
 * observation. The registry asks for its values through `getForPromString`.
 */
export class PulledHistogram extends Histogram {
  readonly #options: PulledHistogramOptions;

  constructor(options: PulledHistogramOptions) {
    super({
      name: options.name,
      help: options.help,
      labelNames: options.labelNames,
      buckets: [...latencyBounds],
      registers: [options.registry],
    });
    this.#options = options;
  }

  async getForPromString() {
    const { name, help, series } = this.#options;
    const values: Sample[] = [];
    for (const { labels, histogram } of series()) {
      if (histogram.count > 0) samplesOf(name, labels, histogram, values);
    }
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

function samplesOf(
  name: string,
  sharedLabels: Readonly<Record<string, string>>,
  histogram: Readonly<LatencyHistogram>,
  into: Sample[],
): void {
  const add = (suffix: string, labels: Record<string, string | number>, value: number): void => {
    into.push({ metricName: `${name}_${suffix}`, labels, sharedLabels, value });
  };
  let cumulative = 0;
  for (const [index, bound] of latencyBounds.entries()) {
    cumulative += histogram.buckets[index] as number;
    add('bucket', { le: bound }, cumulative);
  }
  add('bucket', { le: '+Inf' }, histogram.count);
  add('sum', {}, histogram.sumMs / 1000);
  add('count', {}, histogram.count);
}
