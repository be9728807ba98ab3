import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deltaSeconds,
  parseDeltaSeconds,
  parseDirectives,
} from '../../src/policy/cache-control.ts';
import { requestDirectives } from '../../src/policy/request-directives.ts';
import { responseDirectives } from '../../src/policy/response-directives.ts';
import { raw } from './stored.ts';

function names(line: string): string[] {
  return parseDirectives(line).map(({ name }) => name);
}

describe('directives (RFC 9111 section 5.2)', () => {
  it.each([
    ['max-age=5', ['max-age']],
    ['MaX-aGe=5,NO-STORE', ['max-age', 'no-store']],
    [' , no-store ,, private,', ['no-store', 'private']],
    ['ext="max-age=3600, no-store", public', ['ext', 'public']],
    ['ext="a \\", no-store", public', ['ext', 'public']],
    ['private="a, b", max-age=1', ['private', 'max-age']],
    // Never closed: no quoted string, and so what follows counts.
    ['ext="open, no-store', ['ext', 'no-store']],
    ['', []],
  ])('%j holds %j', (line, expected) => {
    expect(names(line)).toEqual(expected);
  });

  it.each([
    ['max-age=3600', 3600],
    ['max-age=003600', 3600],
    ['max-age=2147483648', 2 ** 31],
    ['max-age=99999999999', 2 ** 31],
    [`max-age=${'9'.repeat(400)}`, 2 ** 31],
    ['max-age=0', 0],
    ['max-age=-100', 0],
    ['max-age=+100', 0],
    ['max-age="3600"', 0],
    ["max-age='3600'", 0],
    ['max-age=3600.0', 0],
    ['max-age=3600.5', 0],
    ['max-age=a3600', 0],
    ['max-age=3600a', 0],
    ['max-age=1e3', 0],
    ['max-age= 3600', 0],
    ['max-age =3600', 0],
    ['max-age=', 0],
    ['max-age', 0],
  ])('%s is %i seconds', (line, seconds) => {
    const [directive] = parseDirectives(line);
    expect(directive?.name).toBe('max-age');
    expect(directive && deltaSeconds(directive)).toBe(seconds);
  });

  it('reads a hostile line in proportion to its length', () => {
    // A scan to the end for each quote would be 10^10 steps here.
    const n = 100_000;
    expect(names('"\\'.repeat(n))).toHaveLength(1);
    expect(names(',"\\'.repeat(n))).toHaveLength(n / 2);
    expect(names('a"'.repeat(n))).toHaveLength(1);
  });

  it('takes digits, and nothing else, for seconds', () => {
    fc.assert(fc.property(fc.nat(2 ** 31), (n) => parseDeltaSeconds(String(n)) === n));
    fc.assert(
      fc.property(fc.string(), (text) => {
        const expected = /^[0-9]+$/.test(text) ? Math.min(Number(text), 2 ** 31) : undefined;
        return parseDeltaSeconds(text) === expected;
      }),
    );
  });

  it('finds a directive whatever stands quoted before and after it', () => {
    const quoted = fc.string().map((text) => `ext="${text.replace(/["\\]/g, '\\$&')}"`);
    fc.assert(
      fc.property(quoted, quoted, (before, after) => {
        expect(names(`${before}, no-store,${after}`)).toEqual(['ext', 'no-store', 'ext']);
      }),
    );
  });
});

describe('response directives (RFC 9111 section 5.2.2)', () => {
  const read = (lines: string | readonly string[]) =>
    responseDirectives(raw({ 'Cache-Control': lines }), []);

  it('reads each line by itself and the first of repeated directives', () => {
    expect(read(['max-age=1800', 'max-age=1']).maxAge).toBe(1800);
    expect(read('max-age=1, max-age=1800').maxAge).toBe(1);
    expect(read(['ext="open', 'no-store']).noStore).toBe(true);
  });

  it.each([
    ['no-store', 'noStore'],
    ['no-cache', 'noCache'],
    ['no-cache="set-cookie"', 'noCache'],
    ['private', 'private'],
    ['private="x-user"', 'private'],
    ['public', 'public'],
    ['must-understand', 'mustUnderstand'],
    ['must-revalidate', 'mustRevalidate'],
    ['proxy-revalidate', 'proxyRevalidate'],
  ] as const)('%s sets %s alone', (line, key) => {
    const expected = { ...read(''), [key]: true };
    expect(read(line)).toEqual(expected);
  });

  it('reads durations', () => {
    const line = 'max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4';
    expect(read(line)).toMatchObject({
      maxAge: 1,
      sMaxage: 2,
      staleWhileRevalidate: 3,
      staleIfError: 4,
    });
  });
});

describe('targeted fields (RFC 9213)', () => {
  const list = ['millrace-cache-control', 'cdn-cache-control'];
  const read = (fields: Record<string, string | string[]>) => responseDirectives(raw(fields), list);

  it('goes by the first of the list, and then by no other field', () => {
    const fields = {
      'Cache-Control': 'no-store',
      'CDN-Cache-Control': 'max-age=20, private',
      'Millrace-Cache-Control': 'max-age=10',
    };
    expect(read(fields)).toMatchObject({
      maxAge: 10,
      noStore: false,
      private: false,
      targeted: true,
    });
    expect(responseDirectives(raw(fields), ['cdn-cache-control'])).toMatchObject({
      maxAge: 20,
      private: true,
    });
    expect(responseDirectives(raw(fields), [])).toMatchObject({ noStore: true, targeted: false });
  });

  it.each([
    ['empty', ''],
    ['of an unknown type', 'max-age=10000, &&&&&'],
    ['a String where an Integer belongs', 'max-age="10000"'],
    ['a Decimal where an Integer belongs', 'max-age=10.0'],
    ['without a value where an Integer belongs', 'max-age'],
    ['a Token where a Boolean belongs', 'no-store=yes'],
    ['a false Boolean', 'no-store=?0'],
    ['a key in upper case', 'Max-Age=10'],
    ['space around =', 'max-age =10'],
    ['a trailing comma', 'max-age=10,'],
    ['an integer of 16 digits', 'max-age=1234567890123456'],
  ])('ignores one that is %s', (_, value) => {
    const directives = read({ 'Cache-Control': 'max-age=1', 'CDN-Cache-Control': value });
    expect(directives).toMatchObject({ maxAge: 1, targeted: false });
  });

  it.each([
    ['none', {}],
    ['  max-age=3,\tprivate  ', { maxAge: 3, private: true }],
    ['foobar, max-age=3600', { maxAge: 3600 }],
    ['foo=(1 "a" b;c);d=?1, bar=:YQ==:, baz=1.5, max-age=7;x=y', { maxAge: 7 }],
    ['max-age=99999999999', { maxAge: 2 ** 31 }],
    ['max-age=-1', { maxAge: 0 }],
    ['max-age=1, max-age=2', { maxAge: 2 }],
    ['no-cache="set-cookie"', { noCache: true }],
    ['private, must-revalidate', { private: true, mustRevalidate: true }],
  ])('reads %j in place of Cache-Control', (value, expected) => {
    const directives = read({ 'Cache-Control': 'no-store', 'CDN-Cache-Control': value });
    expect(directives).toMatchObject({ noStore: false, targeted: true, ...expected });
  });

  it('combines the lines of one field', () => {
    expect(read({ 'CDN-Cache-Control': ['max-age=5', 'no-cache'] })).toMatchObject({
      maxAge: 5,
      noCache: true,
    });
  });
});

describe('request directives (RFC 9111 section 5.2.1)', () => {
  it('asks for nothing without the fields', () => {
    expect(requestDirectives(raw({ Accept: '*/*' }))).toEqual({
      noCache: false,
      noStore: false,
      onlyIfCached: false,
      maxAge: undefined,
      minFresh: 0,
      maxStale: undefined,
      staleIfError: undefined,
    });
  });

  it.each([
    ['no-cache', { noCache: true }],
    ['no-store', { noStore: true }],
    ['only-if-cached', { onlyIfCached: true }],
    ['max-age=5', { maxAge: 5 }],
    ['max-age=abc', { maxAge: 0 }],
    ['min-fresh=5', { minFresh: 5 }],
    ['min-fresh=abc', { minFresh: 2 ** 31 }],
    ['max-stale', { maxStale: Number.POSITIVE_INFINITY }],
    ['max-stale=5', { maxStale: 5 }],
    ['max-stale=abc', { maxStale: 0 }],
    ['stale-if-error=5', { staleIfError: 5 }],
  ])('%s is %j', (line, expected) => {
    expect(requestDirectives(raw({ 'cache-control': line }))).toMatchObject(expected);
  });

  it('takes Pragma: no-cache for no-cache, but only without Cache-Control (section 5.4)', () => {
    expect(requestDirectives(raw({ Pragma: 'no-cache' })).noCache).toBe(true);
    expect(requestDirectives(raw({ Pragma: 'x, No-Cache' })).noCache).toBe(true);
    expect(requestDirectives(raw({ Pragma: 'other' })).noCache).toBe(false);
    const both = raw({ Pragma: 'no-cache', 'Cache-Control': 'max-age=5' });
    expect(requestDirectives(both)).toMatchObject({ noCache: false, maxAge: 5 });
  });
});
