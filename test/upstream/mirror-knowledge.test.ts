import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adaptedTimeouts } from '../../src/upstream/adaptive-timeouts.ts';
import { CircuitBreaker } from '../../src/upstream/circuit-breaker.ts';
import { DelayDistribution } from '../../src/upstream/delay-distribution.ts';
import { MirrorRecord } from '../../src/upstream/mirror-record.ts';
import { MirrorTracker } from '../../src/upstream/mirror-tracker.ts';
import { MovingAverage } from '../../src/upstream/moving-average.ts';
import { retryAfterMs } from '../../src/upstream/retry-after.ts';
import { ExpectedSizes, nearestClasses, sizeClassOf } from '../../src/upstream/size-class.ts';

const alone = { now: 0, active: 0, usualRate: 1_000_000 };

describe('a moving average', () => {
  it('stays within what was observed, and weighs five observations at the most', () => {
    const values = fc.array(fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.nat(1e6)), {
      minLength: 1,
    });
    fc.assert(
      fc.property(values, (observations) => {
        const average = new MovingAverage();
        let now = 0;
        for (const [value, later] of observations) {
          now += later;
          average.observe(value, now);
        }
        const seen = observations.map(([value]) => value);
        expect(average.mean).toBeGreaterThanOrEqual(Math.min(...seen) - 1e-6);
        expect(average.mean).toBeLessThanOrEqual(Math.max(...seen) + 1e-6);
        expect(average.weightAt(now)).toBeGreaterThanOrEqual(1);
        expect(average.weightAt(now)).toBeLessThanOrEqual(5);
      }),
    );
  });

  it('follows a change within ten observations, and knows less the longer it hears nothing', () => {
    const average = new MovingAverage();
    for (let i = 0; i < 50; i += 1) average.observe(10, 0);
    for (let i = 0; i < 10; i += 1) average.observe(100, 0);
    expect(average.mean).toBeGreaterThan(85);
    expect(average.weightAt(600_000)).toBeCloseTo(2.5);
    average.observe(20, 36_000_000);
    expect(average.mean).toBeCloseTo(20, 0);
  });
});

it('a distribution tells a quantile to a quarter, and forgets', () => {
  const delays = new DelayDistribution();
  for (let i = 0; i < 19; i += 1) delays.observe(100);
  expect(delays.quantile(0.95)).toBeUndefined();
  delays.observe(100);
  expect(delays.quantile(0.95)).toBeGreaterThanOrEqual(100);
  expect(delays.quantile(0.95)).toBeLessThan(126);
  for (let i = 0; i < 3_000; i += 1) delays.observe(1);
  expect(delays.quantile(0.99)).toBeLessThan(2);
  delays.observe(0);
  delays.observe(1e12);
  expect(delays.quantile(1)).toBeGreaterThan(100_000);
});

describe('a circuit breaker', () => {
  it('opens at once where the host is out of reach, after three wrong answers in a row otherwise', () => {
    const breaker = new CircuitBreaker();
    breaker.failed(0, false);
    breaker.failed(0, false);
    breaker.succeeded(0);
    breaker.failed(0, false);
    breaker.failed(0, false);
    expect(breaker.stateAt(0)).toBe('closed');
    breaker.failed(0, false);
    expect(breaker.stateAt(9_999)).toBe('open');
    const unreachable = new CircuitBreaker();
    unreachable.failed(0, true);
    expect(unreachable.stateAt(0)).toBe('open');
  });

  it('lets one trial through after the pause, and pauses twice as long when that fails', () => {
    const breaker = new CircuitBreaker();
    breaker.failed(0, true);
    expect(breaker.stateAt(10_000)).toBe('half-open');
    breaker.asked(10_000);
    expect(breaker.stateAt(10_001)).toBe('open');
    breaker.failed(10_002, false);
    expect(breaker.stateAt(30_001)).toBe('open');
    expect(breaker.stateAt(30_002)).toBe('half-open');
    breaker.asked(30_002);
    breaker.abandoned();
    expect(breaker.stateAt(30_002)).toBe('half-open');
    breaker.asked(30_002);
    expect(breaker.succeeded(30_003)).toBe(true);
    expect(breaker.stateAt(30_003)).toBe('closed');
    breaker.failed(40_000, true);
    expect(breaker.stateAt(50_000)).toBe('half-open');
  });

  it('keeps a pause that was asked for, whatever succeeds meanwhile, up to an hour', () => {
    const breaker = new CircuitBreaker();
    breaker.pause(0, 60_000);
    expect(breaker.succeeded(1)).toBe(false);
    expect(breaker.stateAt(59_999)).toBe('open');
    expect(breaker.stateAt(60_000)).toBe('half-open');
    breaker.pause(60_000, 1e12);
    expect(breaker.openUntil).toBe(60_000 + 3_600_000);
  });
});

it('Retry-After is seconds or a date; anything else says nothing', () => {
  const now = Date.UTC(2026, 0, 1);
  const read = (value: string) => retryAfterMs(['retry-after', value], now);
  expect(read('120')).toBe(120_000);
  expect(read('Thu, 01 Jan 2026 00:01:00 GMT')).toBe(60_000);
  expect(read('Thu, 01 Jan 2025 00:01:00 GMT')).toBe(0);
  for (const wrong of ['-1', '1.5', 'soon', 'Monday']) expect(read(wrong)).toBeUndefined();
  expect(retryAfterMs([], now)).toBeUndefined();
});

it('sizes fall into classes, and an unknown one is expected as its ecosystem and kind were', () => {
  expect([0, 65_535, 65_536, 2 ** 20, 2 ** 24].map(sizeClassOf)).toEqual([
    'tiny',
    'tiny',
    'small',
    'medium',
    'large',
  ]);
  expect(nearestClasses('large')).toEqual(['large', 'medium', 'small', 'tiny']);
  const sizes = new ExpectedSizes();
  const purpose = { ecosystem: 'npm', kind: 'artifact' } as const;
  for (const bytes of [1_000, 1_000_000]) sizes.observe(purpose, bytes, 0);
  expect(sizes.expected(purpose)).toBeCloseTo(31_623, -1);
  expect(sizes.expected({ ecosystem: 'apt' })).toBe(65_536);
});

describe('the record of a mirror', () => {
  it('expects connecting, waiting and the transfer; a connection that is kept costs nothing', () => {
    const record = new MirrorRecord();
    expect(record.estimate('medium', 1_000, alone)).toBeUndefined();
    record.connected(30, 0);
    record.answered('medium', 20, 0);
    record.transferred('medium', { bytes: 1_000_000, ms: 500, beside: 0 }, 0);
    const expected = { firstByteMs: 20, transferMs: 1_000, failureRate: 0, weight: 1 };
    expect(record.estimate('medium', 2_000_000, alone)).toEqual({ ...expected, connectMs: 0 });
    const later = record.estimate('medium', 2_000_000, { ...alone, now: 25_000 });
    expect(later).toMatchObject({ connectMs: 30 });
  });

  it('knows half as much of another size class, and takes its throughput', () => {
    const record = new MirrorRecord();
    record.answered('tiny', 20, 0);
    record.transferred('medium', { bytes: 1_000_000, ms: 500, beside: 0 }, 0);
    expect(record.estimate('large', 2_000_000, alone)).toMatchObject({
      firstByteMs: 20,
      transferMs: 1_000,
      weight: 0.5,
    });
  });

  it('learns what further connections bring: half each on a link that two fill', () => {
    const record = new MirrorRecord();
    record.answered('large', 1, 0);
    const transfer = (ms: number, beside: number) =>
      record.transferred('large', { bytes: 1_000_000, ms, beside }, 0);
    for (let i = 0; i < 10; i += 1) transfer(100, 0);
    for (let i = 0; i < 10; i += 1) transfer(200, 1);
    expect(record.gain.mean).toBeCloseTo(0.5, 1);
    expect(record.rate('large')).toBeCloseTo(10_000_000, -6);
    const shared = record.estimate('large', 1_000_000, { ...alone, active: 1 });
    expect(shared?.transferMs).toBeCloseTo(200, -1);
  });

  it('counts as late at least what it was waited for', () => {
    const record = new MirrorRecord();
    record.answered('tiny', 10, 0);
    record.late('tiny', 500, 0);
    expect(record.estimate('tiny', 1, alone)?.firstByteMs).toBeGreaterThan(200);
  });

  it('begins anew with its failures after a trial that succeeds', () => {
    const record = new MirrorRecord();
    record.answered('tiny', 10, 0);
    for (let i = 0; i < 3; i += 1) record.failed('tiny', false, 0);
    expect(record.estimate('tiny', 1, alone)?.failureRate).toBe(1);
    record.breaker.asked(10_000);
    record.succeeded('tiny', 10_001);
    expect(record.estimate('tiny', 1, alone)?.failureRate).toBe(0);
  });

  it('adapts timeouts within their bounds, once it has seen enough', () => {
    const record = new MirrorRecord();
    const bounds = { connectMs: 5_000, firstByteMs: 30_000, idleMs: 30_000, floorMs: 100 };
    expect(adaptedTimeouts(record, bounds)).toMatchObject({
      connectMs: 5_000,
      firstByteMs: 30_000,
    });
    for (let i = 0; i < 20; i += 1) {
      record.connected(1, 0);
      record.answered('tiny', 200, 0);
      record.silences.observe(60_000);
    }
    const { connectMs, firstByteMs, idleMs } = adaptedTimeouts(record, bounds);
    expect(connectMs).toBe(100);
    expect(firstByteMs).toBeGreaterThanOrEqual(600);
    expect(firstByteMs).toBeLessThan(760);
    expect(idleMs).toBe(30_000);
  });
});

describe('the tracker', () => {
  it('survives a restart through JSON', () => {
    const tracker = new MirrorTracker();
    const record = tracker.of('http://a.test');
    record.connected(3, 1_000);
    record.answered('small', 20, 1_000);
    record.transferred('small', { bytes: 100_000, ms: 10, beside: 0 }, 1_000);
    record.succeeded('small', 1_000);
    const next = new MirrorTracker();
    expect(next.restore(JSON.parse(JSON.stringify(tracker.memory)))).toBe(true);
    const at = { ...alone, now: 2_000 };
    const { connectMs: _, ...known } = record.estimate('small', 1_000, at) ?? {};
    expect(next.of('http://a.test').estimate('small', 1_000, at)).toMatchObject(known);
  });

  it.each([
    undefined,
    null,
    'text',
    {},
    { version: 2, mirrors: {} },
    { version: 1 },
    { version: 1, mirrors: { a: {} } },
    {
      version: 1,
      mirrors: { a: { connectMs: { mean: -1, weight: 0, at: 0 }, gain: {}, classes: {} } },
    },
  ])('takes nothing from %j', (memory) => {
    const tracker = new MirrorTracker();
    expect(tracker.restore(memory)).toBe(false);
    expect([...tracker.entries]).toEqual([]);
  });

  it('forgets who was not used for longest beyond 256', () => {
    const tracker = new MirrorTracker();
    for (let i = 0; i < 256; i += 1) tracker.of(`http://${i}.test`);
    tracker.of('http://0.test');
    tracker.of('http://one-more.test');
    expect(tracker.known('http://0.test')).toBeDefined();
    expect(tracker.known('http://1.test')).toBeUndefined();
    expect([...tracker.entries]).toHaveLength(256);
  });
});
