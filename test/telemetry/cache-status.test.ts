import { expect, test } from 'vitest';
import { type CacheOutcome, cacheOutcomes } from '../../src/core/outcome.ts';
import type { CacheStatus } from '../../src/core/request-record.ts';
import { cacheStatusField } from '../../src/telemetry/cache-status.ts';

const cases: [CacheOutcome, CacheStatus, string][] = [
  ['hit', { hit: true, ttl: 30 }, 'millrace; hit; ttl=30'],
  ['hit', { hit: true, ttl: Number.POSITIVE_INFINITY }, 'millrace; hit; ttl=2147483648'],
  ['hit', { hit: true, ttl: 29.9 }, 'millrace; hit; ttl=29'],
  ['hit', {}, 'millrace; hit'],
  ['stale', { hit: true, ttl: -12 }, 'millrace; hit; ttl=-12; detail=stale'],
  [
    'stale',
    { fwd: 'stale', fwdStatus: 503, ttl: -12 },
    'millrace; fwd=stale; fwd-status=503; ttl=-12; detail=stale',
  ],
  [
    'revalidated',
    { fwd: 'stale', fwdStatus: 304 },
    'millrace; fwd=stale; fwd-status=304; detail=revalidated',
  ],
  [
    'miss',
    { fwd: 'uri-miss', fwdStatus: 200, stored: true },
    'millrace; fwd=uri-miss; fwd-status=200; stored; detail=miss',
  ],
  ['miss', { fwd: 'vary-miss', stored: false }, 'millrace; fwd=vary-miss; detail=miss'],
  [
    'collapsed',
    { fwd: 'uri-miss', collapsed: true },
    'millrace; fwd=uri-miss; collapsed; detail=collapsed',
  ],
  ['passthrough', { fwd: 'method' }, 'millrace; fwd=method; detail=passthrough'],
  ['refused', {}, 'millrace; detail=refused'],
];

test.each(cases)('%s with %j is "%s" (RFC 9211)', (outcome, cacheStatus, expected) => {
  expect(cacheStatusField({ outcome, cacheStatus })).toBe(expected);
});

test('hit and fwd never stand together (RFC 9211 section 2)', () => {
  const cacheStatus = { hit: true, fwd: 'stale' } as const;
  expect(cacheStatusField({ outcome: 'stale', cacheStatus })).toBe(
    'millrace; fwd=stale; detail=stale',
  );
});

test('the key is there for whom the record has one, as a String (RFC 9211 section 2.7)', () => {
  const hit = { outcome: 'hit', cacheStatus: { hit: true, ttl: 3 } } as const;
  expect(cacheStatusField({ ...hit, key: 'http://example.com/a?"b\\' })).toBe(
    'millrace; hit; ttl=3; key="http://example.com/a?\\"b\\\\"',
  );
  expect(cacheStatusField({ ...hit, key: 'http://example.com/\xe9\t' })).toBe(
    'millrace; hit; ttl=3; key="http://example.com/%E9%09"',
  );
});

test('every outcome is named in its field', () => {
  for (const outcome of cacheOutcomes) {
    const field = cacheStatusField({ outcome, cacheStatus: {} });
    expect(field.split('; ')).toContain(outcome === 'hit' ? 'hit' : `detail=${outcome}`);
  }
});
