import { Counter, Gauge, type Registry } from 'prom-client';
import type { MirrorFigures, MirrorsFigures } from '../core/mirror-figures.ts';

type Pairs = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

/** Registers what is known of the mirrors; the result takes over what one scrape found. */
export function registerMirrorMetrics(registry: Registry): (figures: MirrorsFigures) => void {
  const registers = [registry];
  const updates: ((figures: MirrorsFigures) => void)[] = [];
  const counter = (name: string, help: string, labelNames: string[], pairs: Find): void => {
    const metric = new Counter({ name, help, labelNames, registers });
    updates.push((figures) => {
      metric.reset();
      for (const [labels, value] of pairs(figures)) metric.inc(labels, value);
    });
  };
  const gauge = (name: string, help: string, labelNames: string[], pairs: Find): void => {
    const metric = new Gauge({ name, help, labelNames, registers });
    updates.push((figures) => {
      metric.reset();
      for (const [labels, value] of pairs(figures)) metric.set(labels, value);
    });
  };
  counter(
    'millrace_mirror_requests_total',
    'Requests sent to a mirror.',
    ['mirror'],
    each('requests'),
  );
  counter(
    'millrace_mirror_failures_total',
    'Requests to a mirror that failed, refusals included.',
    ['mirror'],
    each('failures'),
  );
  counter(
    'millrace_mirror_hedges_total',
    'Requests raced on a mirror because another one was late.',
    ['mirror'],
    each('hedges'),
  );
  counter(
    'millrace_mirror_faults_total',
    'Answers of a mirror that were not what they should have been.',
    ['mirror', 'fault'],
    ({ mirrors }) =>
      mirrors.flatMap(({ origin, faults }) =>
        Object.entries(faults).map(([fault, count]) => [{ mirror: origin, fault }, count] as const),
      ),
  );
  gauge('millrace_mirror_active', 'Requests to a mirror under way.', ['mirror'], each('active'));
  gauge(
    'millrace_mirror_queued',
    'Requests that wait for a place at a mirror.',
    ['mirror'],
    each('queued'),
  );
  gauge(
    'millrace_mirror_paused',
    '1 while a mirror is asked last because it failed or asked for a pause.',
    ['mirror'],
    ({ mirrors }) =>
      mirrors.map(({ origin, state }) => [{ mirror: origin }, state === 'open' ? 1 : 0] as const),
  );
  gauge(
    'millrace_mirror_first_byte_seconds',
    'Moving average of the time to the first byte, by size class.',
    ['mirror', 'size'],
    ofClasses(({ firstByteMs }) => (firstByteMs === null ? null : firstByteMs / 1000)),
  );
  gauge(
    'millrace_mirror_throughput_bytes_per_second',
    'Moving average of the throughput of one connection, by size class.',
    ['mirror', 'size'],
    ofClasses(({ throughput }) => throughput),
  );
  counter(
    'millrace_mirror_mapping_lookups_total',
    'Look-ups of URL rules, by whether the result was remembered.',
    ['result'],
    ({ mapping }) => [
      [{ result: 'hit' }, mapping.hits],
      [{ result: 'miss' }, mapping.misses],
    ],
  );
  return (figures) => {
    for (const update of updates) update(figures);
  };
}

type Find = (figures: MirrorsFigures) => Pairs;
type Amount = 'requests' | 'failures' | 'hedges' | 'active' | 'queued';

function each(amount: Amount): Find {
  return ({ mirrors }) => mirrors.map((mirror) => [{ mirror: mirror.origin }, mirror[amount]]);
}

function ofClasses(value: (figures: MirrorFigures['classes'][string]) => number | null): Find {
  return ({ mirrors }) =>
    mirrors.flatMap(({ origin, classes }) =>
      Object.entries(classes).flatMap(([size, figures]) => {
        const known = value(figures);
        return known === null ? [] : [[{ mirror: origin, size }, known] as const];
      }),
    );
}
