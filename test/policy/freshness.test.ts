import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/policy/decide.ts';
import { currentAge, freshnessLifetime } from '../../src/policy/freshness.ts';
import { at, date, type Fields, get, options, raw, stored, t0 } from './stored.ts';

const day = 24 * 60 * 60;

describe('age (RFC 9111 section 4.2.3)', () => {
  it('grows with the time in the cache, in whole seconds', () => {
    const meta = stored();
    expect(currentAge(meta, t0)).toBe(0);
    expect(currentAge(meta, t0 + 999)).toBe(0);
    expect(currentAge(meta, t0 + 1000)).toBe(1);
    expect(currentAge(meta, at(3600))).toBe(3600);
  });

  it('counts the time since Date that was already over at receipt', () => {
    expect(currentAge(stored({ Date: date(-100) }), at(5))).toBe(105);
  });

  it('takes the fraction of a second that Date cannot tell for no age', () => {
    const meta = stored({}, { requestTime: t0 + 900, responseTime: t0 + 900 });
    expect(currentAge(meta, t0 + 1899)).toBe(0);
  });

  it('takes a Date in the future for no age', () => {
    expect(currentAge(stored({ Date: date(100) }), at(5))).toBe(5);
  });

  it('counts Age and the delay of the response', () => {
    const meta = stored({ Age: '30' }, { requestTime: at(-4) });
    expect(currentAge(meta, at(5))).toBe(39);
  });

  it('takes the larger of the apparent and the stated age', () => {
    expect(currentAge(stored({ Age: '30', Date: date(-100) }), t0)).toBe(100);
    expect(currentAge(stored({ Age: '300', Date: date(-100) }), t0)).toBe(300);
  });

  it.each([
    ['no Date', raw({})],
    ['an invalid Date', raw({ Date: 'foo' })],
    ['two Dates', raw({ Date: [date(-50), date(-50)] })],
  ])('falls back to the time of receipt for %s', (_, headers) => {
    expect(currentAge(stored({}, { headers }), at(5))).toBe(5);
  });

  it.each([
    ['7200', 7200],
    ['7200,0', 7200],
    ['0, 7200', 0],
    [['7200', '0'], 7200],
    [['0', '7200'], 0],
    ['abc', 0],
    ['-7200', 0],
    ['7200.0', 0],
    ['', 0],
    [',7200', 0],
    ['99999999999999999999', 2 ** 31],
  ] satisfies [string | string[], number][])('reads Age: %j as %i', (Age, expected) => {
    expect(currentAge(stored({ Age }), t0)).toBe(expected);
  });

  it('is stale from the very millisecond on in which the age reaches the lifetime', () => {
    const meta = stored({ 'Cache-Control': 'max-age=60', Age: '7' }, { requestTime: t0 - 250 });
    const fresh = (now: number) => decide(get(), [meta], options, now).kind === 'fresh';
    // 7 s of Age, a quarter of a second on the way: 60 s are over after 52.75 s here.
    expect(currentAge(meta, t0 + 52_749)).toBe(59);
    expect(fresh(t0 + 52_749)).toBe(true);
    expect(currentAge(meta, t0 + 52_750)).toBe(60);
    expect(fresh(t0 + 52_750)).toBe(false);
  });

  it('never says more than 2^31 (section 1.2.2), and that is never fresh', () => {
    const meta = stored({ 'Cache-Control': `max-age=${2 ** 40}`, Age: '9'.repeat(30) });
    expect(currentAge(meta, t0)).toBe(2 ** 31);
    expect(currentAge(meta, at(1_000_000))).toBe(2 ** 31);
    expect(decide(get(), [meta], options, t0)).toMatchObject({ kind: 'validate', reason: 'stale' });
    expect(currentAge(stored({}), at(2 ** 32))).toBe(2 ** 31);
    const forAges = stored({ Expires: 'Fri, 31 Dec 9999 23:59:59 GMT', Age: '9'.repeat(30) });
    expect(decide(get(), [forAges], options, t0)).toMatchObject({ kind: 'validate', ttl: 0 });
  });

  it('does not run backwards with the clock', () => {
    expect(currentAge(stored({ Age: '30' }), at(-1000))).toBe(30);
    expect(currentAge(stored({}, { requestTime: at(1000) }), t0)).toBe(0);
  });

  it('is the sum that the section defines, never negative, and never falls', () => {
    const seconds = fc.integer({ min: -100_000, max: 100_000 });
    const delay = fc.nat(100_000);
    fc.assert(
      fc.property(seconds, fc.nat(1_000_000), delay, delay, (offset, age, wait, resident) => {
        const meta = stored({ Date: date(offset), Age: `${age}` }, { requestTime: t0 - wait });
        const apparentAge = Math.max(0, -offset);
        const correctedAge = age + wait / 1000;
        const expected = Math.max(apparentAge, correctedAge) + resident / 1000;
        const actual = currentAge(meta, t0 + resident);
        expect(actual).toBe(Math.floor(Number(expected.toFixed(3))));
        expect(currentAge(meta, t0 + resident + 1)).toBeGreaterThanOrEqual(actual);
      }),
    );
  });
});

describe('lifetime (RFC 9111 section 4.2.1)', () => {
  const lifetime = (fields: Fields, status = 200) =>
    freshnessLifetime(stored(fields, { status }), options);

  it.each([
    ['max-age', { 'Cache-Control': 'max-age=10' }, 10],
    ['s-maxage before max-age', { 'Cache-Control': 'max-age=10, s-maxage=20' }, 20],
    ['max-age before Expires', { 'Cache-Control': 'max-age=10', Expires: date(99) }, 10],
    ['max-age before an invalid Expires', { 'Cache-Control': 'max-age=10', Expires: '0' }, 10],
    ['Expires minus Date', { Expires: date(99) }, 99],
    ['Expires before a heuristic', { Expires: date(99), 'Last-Modified': date(-day) }, 99],
    ['a malformed s-maxage before a good max-age', { 'Cache-Control': 's-maxage=x, max-age=9' }, 0],
    [
      'a malformed max-age before a good Expires',
      { 'Cache-Control': 'max-age=x', Expires: date(9) },
      0,
    ],
    ['nothing', {}, 0],
  ])('is by %s', (_, fields, expected) => {
    expect(lifetime(fields)).toBe(expected);
  });

  it.each([
    ['in the past', date(-1)],
    ['equal to Date', date(0)],
    ['invalid', '0'],
    ['in UTC', 'Thu, 18 Aug 2050 02:01:18 UTC'],
    ['repeated', [date(99), date(99)]],
  ])('is 0 by an Expires that is %s', (_, Expires) => {
    expect(lifetime({ Expires, 'Last-Modified': date(-day) })).toBe(0);
  });

  it('measures Expires against Date, whatever the clock here says', () => {
    expect(lifetime({ Date: date(400), Expires: date(300) })).toBe(0);
    expect(lifetime({ Date: date(-400), Expires: date(-300) })).toBe(100);
  });

  it('measures Expires against the time of receipt when Date is invalid', () => {
    expect(lifetime({ Date: 'foo', Expires: date(10) })).toBe(10);
  });

  it('is by the targeted field alone where there is one (RFC 9213 section 2.2)', () => {
    const others = { 'Cache-Control': 'max-age=10, s-maxage=20', Expires: date(99) };
    expect(lifetime({ ...others, 'CDN-Cache-Control': 'max-age=600' })).toBe(600);
    expect(lifetime({ ...others, 'CDN-Cache-Control': 'none' })).toBe(0);
    expect(lifetime({ ...others, 'CDN-Cache-Control': 'max-age=!' })).toBe(20);
  });

  it('follows the list it is asked with, whatever list came before', () => {
    const meta = stored({ 'Cache-Control': 'max-age=1', 'CDN-Cache-Control': 'max-age=2' });
    const plain = { ...options, targetedFields: [] };
    expect(freshnessLifetime(meta, options)).toBe(2);
    expect(freshnessLifetime(meta, plain)).toBe(1);
    expect(freshnessLifetime(meta, options)).toBe(2);
  });

  it('is 0 for what may not be reused without validation', () => {
    expect(lifetime({ 'Cache-Control': 'no-cache, max-age=10' })).toBe(0);
    expect(lifetime({ 'Cache-Control': 'no-cache="set-cookie", max-age=10' })).toBe(0);
  });
});

describe('heuristic lifetime (RFC 9111 section 4.2.2)', () => {
  const lifetime = (status: number, fields: Fields) =>
    freshnessLifetime(stored(fields, { status }), options);

  it.each([200, 203, 204, 300, 301, 308, 405, 414, 501])('is given to a %i', (status) => {
    expect(lifetime(status, { 'Last-Modified': date(-1000) })).toBe(100);
  });

  it.each([201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599])(
    'is given to a %i only when it is public',
    (status) => {
      expect(lifetime(status, { 'Last-Modified': date(-1000) })).toBe(0);
      const open = { 'Last-Modified': date(-1000), 'Cache-Control': 'public' };
      expect(lifetime(status, open)).toBe(100);
    },
  );

  it('never exceeds a day', () => {
    expect(lifetime(200, { 'Last-Modified': date(-10 * day + 10) })).toBe(day - 1);
    expect(lifetime(200, { 'Last-Modified': date(-10_000 * day) })).toBe(day);
  });

  it.each([
    ['in the future', date(10)],
    ['equal to Date', date(0)],
    ['invalid', 'yesterday'],
  ])('is 0 with a Last-Modified that is %s', (_, modified) => {
    expect(lifetime(200, { 'Last-Modified': modified })).toBe(0);
  });
});

describe('the mount’s word', () => {
  it('gives a 404 and a 410 without explicit freshness the negative lifetime', () => {
    const negative = { ...options, negativeTtl: 60 };
    const of = (status: number, fields: Fields = {}) =>
      freshnessLifetime(stored(fields, { status }), negative);
    expect(of(404)).toBe(60);
    expect(of(410)).toBe(60);
    expect(of(404, { 'Last-Modified': date(-100 * day) })).toBe(60);
    expect(of(404, { 'Cache-Control': 'max-age=5' })).toBe(5);
    expect(of(404, { Expires: '0' })).toBe(0);
    expect(of(404, { 'Cache-Control': 'no-cache' })).toBe(0);
    expect(of(403)).toBe(0);
    expect(of(200)).toBe(0);
  });

  it('gives a 200 without explicit freshness its lifetime in place of the heuristic one', () => {
    const of = (fields: Fields, status = 200) =>
      freshnessLifetime(stored(fields, { status }), { ...options, defaultTtl: 300 });
    expect(of({})).toBe(300);
    expect(of({ 'Last-Modified': date(-100 * day) })).toBe(300);
    expect(of({ 'Cache-Control': 'max-age=5' })).toBe(5);
    expect(of({ Expires: '0' })).toBe(0);
    expect(of({ 'Cache-Control': 'no-cache' })).toBe(0);
    expect(of({}, 301)).toBe(0);
  });

  it('makes a 200 fresh forever, and nothing else', () => {
    const forever = { ...options, freshness: 'forever' as const, negativeTtl: 60 };
    expect(freshnessLifetime(stored({ 'Cache-Control': 'no-cache' }), forever)).toBe(Infinity);
    expect(freshnessLifetime(stored({}, { status: 404 }), forever)).toBe(60);
    expect(freshnessLifetime(stored({ Expires: date(7) }, { status: 302 }), forever)).toBe(7);
  });

  it('explicit infers nothing from Last-Modified, and believes what is said', () => {
    const explicit = { ...options, freshness: 'explicit' as const, negativeTtl: 60 };
    const lastModified = { 'Last-Modified': date(-1_000_000) };
    expect(freshnessLifetime(stored(lastModified), options)).toBeGreaterThan(0);
    expect(freshnessLifetime(stored(lastModified), explicit)).toBe(0);
    expect(freshnessLifetime(stored(lastModified, { status: 301 }), explicit)).toBe(0);
    expect(freshnessLifetime(stored({ 'Cache-Control': 'max-age=7' }), explicit)).toBe(7);
    expect(freshnessLifetime(stored({}, { status: 404 }), explicit)).toBe(60);
    expect(freshnessLifetime(stored(lastModified), { ...explicit, defaultTtl: 300 })).toBe(300);
  });

  it('makes nothing fresh that is always to be validated', () => {
    const validate = { ...options, freshness: 'validate' as const };
    expect(freshnessLifetime(stored({ 'Cache-Control': 'max-age=10' }), validate)).toBe(0);
  });
});
