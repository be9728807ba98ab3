import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../src/telemetry/logger.ts';
import type { StateSample } from '../../src/telemetry/state-sample.ts';
import { createTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';
import { FakeClock } from '../support/clock.ts';
import { Lines } from './lines.ts';
import { aRecord } from './records.ts';

const sample: StateSample = {
  tiers: [
    {
      name: 'memory',
      entries: 3,
      bytes: 1000,
      maxBytes: 2000,
      partialBytes: 10,
      evictions: 7,
      healthy: true,
    },
    {
      name: 'disk',
      entries: 5,
      bytes: 5000,
      maxBytes: 9000,
      partialBytes: 0,
      evictions: 0,
      healthy: false,
    },
  ],
  fills: 2,
  readers: 9,
  tunnels: 0,
  lookups: [{ cache: 'records', hits: 8, misses: 2 }],
  memory: { pressure: 1, limit: 1000, tierBound: 500, connections: 4 },
  mirrors: {
    mirrors: [
      {
        origin: 'http://m.test',
        state: 'open',
        pausedUntil: '2026-01-01T00:00:00.000Z',
        requests: 4,
        failures: 2,
        bytes: 10,
        hedges: 1,
        faults: { short: 3 },
        active: 5,
        queued: 6,
        concurrency: 8,
        connectMs: 1,
        concurrencyGain: null,
        lateMs: null,
        classes: {
          tiny: { firstByteMs: 20, throughput: null, failureRate: 0, observations: 1 },
          large: { firstByteMs: null, throughput: 1e6, failureRate: 0, observations: 1 },
        },
      },
    ],
    hedging: { requests: 20, hedges: 1 },
    mapping: { hits: 9, misses: 1, entries: 1 },
  },
};

const probe = {
  memoryUsage: () => ({ rss: 5, heapTotal: 4, heapUsed: 3, external: 2, arrayBuffers: 1 }),
  cpuUsage: () => ({ user: 1_500_000, system: 250_000 }),
};

function begin(origins: readonly string[] = []): {
  telemetry: Telemetry;
  lines: Lines;
  clock: FakeClock;
  samples: () => Promise<Map<string, number>>;
  /** Lines of requests may wait for the end of the turn. */
  flush: () => void;
} {
  const lines = new Lines();
  const clock = new FakeClock();
  const logger = createLogger({ level: 'info', format: 'json', stream: lines });
  const telemetry = createTelemetry({
    logger,
    clock: clock.now,
    origins,
    sample: () => sample,
    probe,
    version: '1.2.3',
    nodeVersion: 'v26.0.0',
  });
  onTestFinished(() => telemetry.close());
  const samples = async () => {
    const { body } = await telemetry.scrape();
    return new Map(
      body
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => {
          const space = line.lastIndexOf(' ');
          return [line.slice(0, space), Number(line.slice(space + 1))];
        }),
    );
  };
  return { telemetry, lines, clock, samples, flush: () => logger.flush() };
}

test('a request makes one line with what is known of it and nothing else', () => {
  const { telemetry, lines, flush } = begin();
  telemetry.record(
    aRecord({
      outcome: 'miss',
      kind: 'index',
      mount: '/npm',
      bytesIn: 90,
      upstream: 'https://registry.test',
      upstreamFirstByteMs: 12.3456,
      firstByteMs: 13,
      durationMs: 20.06,
      cacheStatus: { fwd: 'uri-miss', fwdStatus: 200, stored: true, ttl: 300, collapsed: false },
    }),
  );
  flush();
  expect(lines.entries).toEqual([
    {
      level: 'info',
      time: expect.any(String),
      msg: 'request',
      method: 'GET',
      target: '/npm/left-pad',
      surface: 'mount',
      mount: '/npm',
      ecosystem: 'npm',
      kind: 'index',
      outcome: 'miss',
      status: 200,
      bytesOut: 100,
      bytesIn: 90,
      upstream: 'https://registry.test',
      upstreamFirstByteMs: 12.3,
      firstByteMs: 13,
      durationMs: 20.1,
      client: '127.0.0.1',
      fwd: 'uri-miss',
      fwdStatus: 200,
      ttl: 300,
      stored: true,
      collapsed: false,
    },
  ]);
});

test('our own failures warn, with error and reason; a refusal does not', () => {
  const { telemetry, lines, flush } = begin();
  telemetry.record(
    aRecord({ outcome: 'failed', status: 504, error: 'connection_timeout', detail: 'No answer.' }),
  );
  telemetry.record(aRecord({ outcome: 'refused', status: 403 }));
  flush();
  expect(lines.entries).toMatchObject([
    { level: 'warn', error: 'connection_timeout', detail: 'No answer.' },
    { level: 'info' },
  ]);
});

test('credentials in a target or a detail do not reach the log', () => {
  const { telemetry, lines, flush } = begin();
  telemetry.record(
    aRecord({
      target: 'http://me:hunter2@example.com/a?access_token=hunter2',
      detail: 'redirected to http://me:hunter2@example.org/',
    }),
  );
  flush();
  expect(lines.text).toContain('http://***@example.com/a?access_token=***');
  expect(lines.text).not.toContain('hunter2');
});

test('a record without a duration gets it from the clock', async () => {
  const { telemetry, lines, flush, clock, samples } = begin();
  const record = aRecord({ startedAt: clock.now(), durationMs: undefined });
  clock.advance(70);
  telemetry.record(record);
  flush();
  expect(lines.entries[0]?.durationMs).toBe(70);
  expect(record.durationMs).toBeUndefined();
  const values = await samples();
  expect(values.get('millrace_request_duration_seconds_sum{outcome="hit"}')).toBe(0.07);
});

test('the metrics count requests, bytes, aborts and errors by their labels', async () => {
  const { telemetry, samples } = begin();
  telemetry.record(aRecord());
  telemetry.record(aRecord({ kind: 'artifact', bytesOut: 50 }));
  telemetry.record(aRecord({ surface: 'forward-proxy', ecosystem: 'apt', aborted: true }));
  telemetry.record(aRecord({ outcome: 'failed', error: 'dns_error', bytesOut: 1 }));
  const values = await samples();
  const requests = 'millrace_requests_total';
  expect(values.get(`${requests}{surface="mount",ecosystem="npm",outcome="hit"}`)).toBe(2);
  expect(values.get(`${requests}{surface="forward-proxy",ecosystem="apt",outcome="hit"}`)).toBe(1);
  expect(values.get(`${requests}{surface="mount",ecosystem="npm",outcome="failed"}`)).toBe(1);
  expect(values.get('millrace_client_bytes_total{outcome="hit"}')).toBe(250);
  expect(values.get('millrace_client_bytes_total{outcome="failed"}')).toBe(1);
  expect(values.get('millrace_client_aborts_total')).toBe(1);
  expect(values.get('millrace_request_errors_total{code="dns_error"}')).toBe(1);
});

test('histogram buckets are cumulative, their bounds inclusive, and a scrape does not reset them', async () => {
  const { telemetry, samples } = begin();
  for (const durationMs of [0.5, 0.6, 100, 120_000]) {
    telemetry.record(aRecord({ durationMs, firstByteMs: 1 }));
  }
  await samples();
  const values = await samples();
  const bucket = (le: string) =>
    values.get(`millrace_request_duration_seconds_bucket{le="${le}",outcome="hit"}`);
  expect([bucket('0.0005'), bucket('0.001'), bucket('0.1'), bucket('60'), bucket('+Inf')]).toEqual([
    1, 2, 3, 3, 4,
  ]);
  expect(values.get('millrace_request_duration_seconds_count{outcome="hit"}')).toBe(4);
  expect(values.get('millrace_request_first_byte_seconds_count{outcome="hit"}')).toBe(4);
  expect(values.has('millrace_request_duration_seconds_count{outcome="miss"}')).toBe(false);
});

test('hit ratios leave out what the cache cannot help, and are absent before the first request', async () => {
  const { telemetry, samples } = begin();
  telemetry.record(aRecord({ outcome: 'passthrough' }));
  expect((await samples()).has('millrace_hit_ratio{of="requests"}')).toBe(false);
  for (const outcome of ['hit', 'collapsed', 'revalidated', 'miss', 'refused', 'failed'] as const) {
    telemetry.record(aRecord({ outcome, bytesOut: outcome === 'miss' ? 300 : 100 }));
  }
  const values = await samples();
  expect(values.get('millrace_hit_ratio{of="requests"}')).toBe(0.5);
  expect(values.get('millrace_hit_ratio{of="bytes"}')).toBe(0.5);
});

test('upstream metrics: requests by class, failures before and after the head, bytes, first byte', async () => {
  const { telemetry, samples } = begin();
  const origin = 'https://registry.test';
  const { upstream } = telemetry;
  upstream.upstreamResponse({
    origin,
    status: 200,
    firstByteMs: 40,
    ecosystem: 'npm',
    kind: 'index',
  });
  upstream.upstreamResponse({ origin, status: 304, firstByteMs: 20 });
  upstream.upstreamFailure({ origin, code: 'connection_refused' });
  upstream.upstreamFailure({ origin, code: 'http_response_incomplete', responded: true });
  upstream.upstreamBytes(origin, 1000);
  upstream.upstreamBytes(origin, 24);
  const values = await samples();
  const requests = (status: string) =>
    values.get(`millrace_upstream_requests_total{upstream="${origin}",status="${status}"}`);
  expect([requests('2xx'), requests('3xx'), requests('none'), requests('5xx')]).toEqual([
    1,
    1,
    1,
    undefined,
  ]);
  const failures = (code: string) =>
    values.get(`millrace_upstream_failures_total{upstream="${origin}",code="${code}"}`);
  expect([failures('connection_refused'), failures('http_response_incomplete')]).toEqual([1, 1]);
  expect(values.get(`millrace_upstream_bytes_total{upstream="${origin}"}`)).toBe(1024);
  expect(values.get(`millrace_upstream_first_byte_seconds_sum{upstream="${origin}"}`)).toBe(0.06);
  expect(values.get('millrace_upstream_requests_by_kind_total{ecosystem="npm",kind="index"}')).toBe(
    1,
  );
});

test('beyond a hundred origins new ones are counted as other, configured ones never', async () => {
  const configured = 'https://registry.test';
  const { telemetry, samples } = begin([configured]);
  for (let i = 0; i < 150; i++) telemetry.upstream.upstreamBytes(`http://host${i}.example.com`, 1);
  telemetry.keepOrigins(['https://added.test']);
  telemetry.upstream.upstreamBytes('https://added.test', 5);
  telemetry.upstream.upstreamBytes(configured, 7);
  const bytes = new Map(
    [...(await samples())].filter(([name]) => name.startsWith('millrace_upstream_bytes_total')),
  );
  expect(bytes.size).toBe(103);
  const of = (origin: string) => bytes.get(`millrace_upstream_bytes_total{upstream="${origin}"}`);
  expect([of('other'), of(configured), of('https://added.test')]).toEqual([50, 7, 5]);
});

test('the gauges show the sample taken at the scrape, the process and the build', async () => {
  const { telemetry, samples } = begin();
  const values = await samples();
  expect(values.get('millrace_store_bytes{tier="memory"}')).toBe(1000);
  expect(values.get('millrace_store_max_bytes{tier="disk"}')).toBe(9000);
  expect(values.get('millrace_store_partial_bytes{tier="memory"}')).toBe(10);
  expect(values.get('millrace_store_entries{tier="disk"}')).toBe(5);
  expect(values.get('millrace_store_evictions_total{tier="memory"}')).toBe(7);
  expect(values.get('millrace_store_healthy{tier="memory"}')).toBe(1);
  expect(values.get('millrace_store_healthy{tier="disk"}')).toBe(0);
  expect(values.get('millrace_cache_lookups_total{cache="records",result="hit"}')).toBe(8);
  expect(values.get('millrace_cache_lookups_total{cache="records",result="miss"}')).toBe(2);
  expect(values.get('millrace_fills_active')).toBe(2);
  expect(values.get('millrace_fill_readers')).toBe(9);
  expect(values.get('millrace_memory_pressure')).toBe(1);
  expect(values.get('millrace_memory_limit_bytes')).toBe(1000);
  expect(values.get('millrace_memory_tier_bound_bytes')).toBe(500);
  expect(values.get('millrace_memory_connections_bound')).toBe(4);
  const of = 'mirror="http://m.test"';
  expect(values.get(`millrace_mirror_requests_total{${of}}`)).toBe(4);
  expect(values.get(`millrace_mirror_failures_total{${of}}`)).toBe(2);
  expect(values.get(`millrace_mirror_hedges_total{${of}}`)).toBe(1);
  expect(values.get(`millrace_mirror_faults_total{${of},fault="short"}`)).toBe(3);
  expect(values.get(`millrace_mirror_active{${of}}`)).toBe(5);
  expect(values.get(`millrace_mirror_queued{${of}}`)).toBe(6);
  expect(values.get(`millrace_mirror_paused{${of}}`)).toBe(1);
  expect(values.get(`millrace_mirror_first_byte_seconds{${of},size="tiny"}`)).toBe(0.02);
  expect(values.get(`millrace_mirror_throughput_bytes_per_second{${of},size="large"}`)).toBe(1e6);
  expect(values.get('millrace_mirror_mapping_lookups_total{result="hit"}')).toBe(9);
  expect(values.get('millrace_process_memory_bytes{area="rss"}')).toBe(5);
  expect(values.get('millrace_process_cpu_seconds_total{mode="user"}')).toBe(1.5);
  expect(values.get('millrace_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(
    0,
  );
  expect(values.get('millrace_build_info{version="1.2.3",node="v26.0.0"}')).toBe(1);
  expect((await telemetry.scrape()).contentType).toMatch(/^text\/plain; version=0\.0\.4/);
});

test('two gateways in one process count for themselves', async () => {
  const first = begin();
  const second = begin();
  first.telemetry.record(aRecord());
  expect(second.telemetry.traffic().requests.total).toBe(0);
  expect(
    (await second.samples()).get('millrace_client_bytes_total{outcome="hit"}'),
  ).toBeUndefined();
});

test('the stats tell per kind what was asked and what went to upstreams', () => {
  const { telemetry } = begin();
  const origin = 'https://registry.test';
  const fwd = { fwd: 'uri-miss' } as const;
  telemetry.record(aRecord({ kind: 'artifact' }));
  telemetry.record(aRecord({ kind: 'index', outcome: 'miss', cacheStatus: fwd }));
  telemetry.record(
    aRecord({ kind: 'index', outcome: 'collapsed', cacheStatus: { ...fwd, collapsed: true } }),
  );
  telemetry.record(aRecord({ outcome: 'refused', aborted: true, bytesOut: 0 }));
  telemetry.upstream.upstreamFailure({
    origin,
    code: 'dns_error',
    ecosystem: 'npm',
    kind: 'index',
  });
  telemetry.upstream.upstreamResponse({
    origin,
    status: 200,
    firstByteMs: 10,
    ecosystem: 'npm',
    kind: 'index',
  });
  telemetry.upstream.upstreamBytes(origin, 120);
  expect(telemetry.traffic()).toEqual({
    requests: {
      total: 4,
      aborted: 1,
      byOutcome: {
        hit: 1,
        stale: 0,
        revalidated: 0,
        miss: 1,
        collapsed: 1,
        bypass: 0,
        passthrough: 0,
        refused: 1,
        failed: 0,
      },
      bySurface: { mount: 4 },
      byEcosystem: { npm: 4 },
      byKind: [
        {
          ecosystem: 'npm',
          kind: 'artifact',
          requests: 1,
          forwarded: 0,
          upstreamRequests: 0,
          bytesToClients: 100,
        },
        {
          ecosystem: 'npm',
          kind: 'index',
          requests: 2,
          forwarded: 1,
          upstreamRequests: 2,
          bytesToClients: 200,
        },
        {
          ecosystem: 'npm',
          kind: 'unknown',
          requests: 1,
          forwarded: 0,
          upstreamRequests: 0,
          bytesToClients: 0,
        },
      ],
      errors: {},
    },
    bytes: { toClients: 300, fromUpstreams: 120, saved: 180 },
    hitRatio: { requests: 2 / 3, bytes: 2 / 3 },
    upstreams: [
      { origin, requests: 2, bytes: 120, failures: { dns_error: 1 }, meanFirstByteMs: 10 },
    ],
  });
});

test('requests that were prepared make the lines and the figures that each by itself makes', async () => {
  const record = aRecord({
    outcome: 'hit',
    kind: 'artifact',
    mount: '/npm',
    target: '/npm/a?token=secret',
    status: 200,
    bytesOut: 90,
    firstByteMs: 0,
    durationMs: 0,
    cacheStatus: { hit: true, ttl: 30 },
  });
  const made = [false, true].map((aborted) => {
    const each = begin();
    each.telemetry.record({ ...record, ...(aborted && { aborted }) });
    each.flush();
    return each;
  });
  const prepared = [false, true].map((aborted) => {
    const each = begin();
    each.telemetry.prepare(record).add(record.client, record.startedAt, 30, aborted);
    each.flush();
    return each;
  });
  const timeless = (text: string) => text.replace(/"time":"[^"]+"/, '');
  for (const [i, each] of prepared.entries()) {
    expect(timeless(each.lines.text)).toBe(timeless(made[i]?.lines.text ?? ''));
    expect(each.telemetry.traffic()).toEqual(made[i]?.telemetry.traffic());
  }
});
