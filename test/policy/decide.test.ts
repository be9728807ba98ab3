import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import { decide, mayServeStaleOnError, type UpstreamFailure } from '../../src/policy/decide.ts';
import type { PolicyOptions } from '../../src/policy/policy-options.ts';
import { varyOf } from '../../src/policy/vary.ts';
import { at, date, type Fields, get, options, raw, stored, t0 } from './stored.ts';

function kind(
  meta: ArtifactMeta,
  seconds: number,
  request: Fields = {},
  mount: Partial<PolicyOptions> = {},
): string {
  const decision = decide(get(request), [meta], { ...options, ...mount }, at(seconds));
  return 'reason' in decision ? `${decision.kind} (${decision.reason})` : decision.kind;
}

const minute = stored({ 'Cache-Control': 'max-age=60' });

describe('selecting (RFC 9111 section 4)', () => {
  const variant = (value: string, fields: Fields = {}): ArtifactMeta =>
    stored({ 'Cache-Control': 'max-age=60', Vary: 'Foo', ...fields }, { vary: [['foo', value]] });

  it('tells a URL that is not stored from a variant that is not', () => {
    expect(decide(get(), [], options, t0)).toEqual({ kind: 'miss', reason: 'uri-miss' });
    const decision = decide(get({ Foo: '2' }), [variant('1')], options, t0);
    expect(decision).toEqual({ kind: 'miss', reason: 'vary-miss' });
  });

  it('takes the variant that matches', () => {
    const variants = [variant('1'), variant('2')];
    expect(decide(get({ Foo: '2' }), variants, options, t0)).toMatchObject({ meta: variants[1] });
  });

  it('takes the most recent by Date of several, the first in the list of equals', () => {
    const older = variant('1', { Date: date(-10) });
    const newer = stored({ 'Cache-Control': 'max-age=60' });
    expect(decide(get({ Foo: '1' }), [older, newer], options, t0)).toMatchObject({ meta: newer });
    expect(decide(get({ Foo: '1' }), [newer, older], options, t0)).toMatchObject({ meta: newer });
    const same = variant('1');
    expect(decide(get({ Foo: '1' }), [same, newer], options, t0)).toMatchObject({ meta: same });
  });

  it('selects the same variant whatever was selected before', () => {
    const value = fc.constantFrom('1', '2', ' 1', '1,2', '1, 2');
    const request = fc
      .record({ Foo: value, Bar: value }, { requiredKeys: [] })
      .map((fields) => get(fields as Fields));
    const nominated = fc.constantFrom('Foo', 'Bar', 'Foo, Bar', 'Other', '');
    const one = fc.tuple(request, nominated, fc.nat(3)).map(([by, Vary, seconds]) => {
      const fields = { 'Cache-Control': 'max-age=60', Vary, Date: date(seconds) };
      const vary = varyOf(by.headers, raw(fields));
      return stored(fields, { vary: vary === '*' ? [] : vary });
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 5 }),
        fc.array(request, { minLength: 1, maxLength: 5 }),
        (variants, requests) => {
          for (const asked of [...requests, ...requests]) {
            // Copies have no past.
            const copies: ArtifactMeta[] = variants.map((meta) => ({
              ...meta,
              vary: [...meta.vary],
            }));
            const expected = decide(asked, copies, options, at(5));
            expect(decide(asked, variants, options, at(5))).toEqual(expected);
            if ('meta' in expected) {
              const place = copies.indexOf(expected.meta);
              expect(decide(asked, variants, options, at(5))).toHaveProperty(
                'meta',
                variants[place],
              );
            }
          }
        },
      ),
    );
  });

  it('serves a HEAD from a stored GET, and no other method', () => {
    expect(decide({ method: 'HEAD', headers: [] }, [minute], options, t0).kind).toBe('fresh');
    expect(decide({ method: 'POST', headers: [] }, [minute], options, t0).kind).toBe('miss');
  });
});

describe('freshness (RFC 9111 section 4.2)', () => {
  it('tells age and what remains of the lifetime', () => {
    expect(decide(get(), [minute], options, at(20))).toEqual({
      kind: 'fresh',
      meta: minute,
      age: 20,
      ttl: 40,
    });
    expect(decide(get(), [minute], options, at(75))).toEqual({
      kind: 'validate',
      reason: 'stale',
      meta: minute,
      age: 75,
      ttl: -15,
    });
  });

  it('ends with the lifetime', () => {
    expect(kind(minute, 59.999)).toBe('fresh');
    expect(kind(minute, 60)).toBe('validate (stale)');
  });

  it('counts the age that came with the response', () => {
    const aged = stored({ 'Cache-Control': 'max-age=3600', Age: '7200' });
    expect(kind(aged, 0)).toBe('validate (stale)');
  });

  it('validates what the response says is never to be reused without (section 5.2.2.4)', () => {
    expect(kind(stored({ 'Cache-Control': 'no-cache, max-age=60' }), 0)).toBe('validate (stale)');
    const qualified = stored({ 'Cache-Control': 'no-cache="set-cookie", max-age=60' });
    expect(kind(qualified, 0)).toBe('validate (stale)');
  });

  it('reuses must-revalidate while it is fresh', () => {
    const meta = stored({ 'Cache-Control': 'max-age=60, must-revalidate' });
    expect(kind(meta, 59)).toBe('fresh');
    expect(kind(meta, 60)).toBe('validate (stale)');
  });

  it('ignores Pragma in a response (section 5.4)', () => {
    expect(kind(stored({ 'Cache-Control': 'max-age=60', Pragma: 'no-cache' }), 1)).toBe('fresh');
  });

  it('is the same for any split of one age into parts', () => {
    const seconds = fc.nat(10_000);
    fc.assert(
      fc.property(seconds, seconds, seconds, (lifetime, before, resident) => {
        const meta = stored({ 'Cache-Control': `max-age=${lifetime}`, Age: `${before}` });
        const decision = decide(get(), [meta], options, at(resident));
        const age = before + resident;
        const expected = lifetime > age ? 'fresh' : 'validate';
        expect(decision).toMatchObject({ kind: expected, age, ttl: lifetime - age });
      }),
    );
  });
});

describe('request directives (RFC 9111 section 5.2.1)', () => {
  it.each([
    // seconds, Cache-Control, decision
    [1, 'no-cache', 'validate (request)'],
    [1, 'no-store', 'fresh'],
    [30, 'max-age=29', 'validate (request)'],
    [30, 'max-age=30', 'fresh'],
    [0, 'max-age=0', 'validate (request)'],
    [0, 'max-age=0, max-stale', 'validate (request)'],
    [30, 'max-age=bad', 'validate (request)'],
    [30, 'min-fresh=30', 'fresh'],
    [30, 'min-fresh=31', 'validate (request)'],
    [30, 'min-fresh=bad', 'validate (request)'],
    [70, 'max-stale=10', 'stale'],
    [71, 'max-stale=10', 'validate (stale)'],
    [100_000, 'max-stale', 'stale'],
    [70, 'max-stale=bad', 'validate (stale)'],
    [70, 'max-stale, max-age=69', 'validate (stale)'],
    [70, 'max-stale, max-age=70', 'stale'],
    [70, 'max-stale, min-fresh=1', 'validate (stale)'],
    [70, 'max-stale, no-cache', 'validate (request)'],
    [30, 'only-if-cached', 'fresh'],
    [70, 'only-if-cached', 'only-if-cached'],
    [70, 'only-if-cached, max-stale', 'stale'],
    [30, 'only-if-cached, no-cache', 'only-if-cached'],
  ])('%i s old, lifetime 60 s, %s: %s', (seconds, value, expected) => {
    expect(kind(minute, seconds, { 'Cache-Control': value })).toBe(expected);
  });

  it('answers only-if-cached for a miss as well', () => {
    const request = get({ 'Cache-Control': 'only-if-cached' });
    expect(decide(request, [], options, t0)).toEqual({ kind: 'only-if-cached' });
  });

  it('takes Pragma: no-cache for no-cache', () => {
    expect(kind(minute, 1, { Pragma: 'no-cache' })).toBe('validate (request)');
    expect(kind(minute, 1, { Pragma: 'no-cache', 'Cache-Control': 'max-age=9' })).toBe('fresh');
  });
});

describe('stale while it is validated (RFC 5861 section 3)', () => {
  const meta = stored({ 'Cache-Control': 'max-age=60, stale-while-revalidate=30' });

  it('is allowed within the window', () => {
    expect(kind(meta, 59)).toBe('fresh');
    expect(kind(meta, 60)).toBe('stale-while-revalidate');
    expect(kind(meta, 89)).toBe('stale-while-revalidate');
    expect(kind(meta, 90)).toBe('validate (stale)');
  });

  it('yields to what the client asks', () => {
    expect(kind(meta, 70, { 'Cache-Control': 'max-age=100' })).toBe('validate (stale)');
    expect(kind(meta, 70, { 'Cache-Control': 'min-fresh=1' })).toBe('validate (stale)');
    expect(kind(meta, 70, { 'Cache-Control': 'no-cache' })).toBe('validate (request)');
    expect(kind(meta, 70, { 'Cache-Control': 'max-stale' })).toBe('stale-while-revalidate');
    expect(kind(meta, 100, { 'Cache-Control': 'max-stale' })).toBe('stale');
  });
});

describe('stale forbidden (RFC 9111 section 4.2.4)', () => {
  it.each(['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache'])(
    '%s allows no stale response for any reason',
    (directive) => {
      const value = `max-age=60, stale-while-revalidate=999, stale-if-error=999, ${directive}`;
      const meta = stored({ 'Cache-Control': value });
      expect(kind(meta, 70)).toBe('validate (stale)');
      expect(kind(meta, 70, { 'Cache-Control': 'max-stale' })).toBe('validate (stale)');
      const mount = { ...options, staleIfError: 999 };
      expect(mayServeStaleOnError(get(), meta, mount, at(70), 503)).toBe(false);
      expect(mayServeStaleOnError(get(), meta, mount, at(70), 'no-answer')).toBe(false);
    },
  );

  it('goes by the targeted field where there is one', () => {
    const meta = stored({
      'Cache-Control': 'must-revalidate',
      'CDN-Cache-Control': 'max-age=60, stale-while-revalidate=30',
    });
    expect(kind(meta, 70)).toBe('stale-while-revalidate');
  });
});

describe('stale on error (RFC 5861 section 4, RFC 9111 section 4.2.4)', () => {
  const serves = (
    value: string,
    seconds: number,
    request: Fields = {},
    mount: Partial<PolicyOptions> = {},
    failure: UpstreamFailure = 503,
  ): boolean => {
    const meta = stored({ 'Cache-Control': value });
    return mayServeStaleOnError(get(request), meta, { ...options, ...mount }, at(seconds), failure);
  };

  it.each<[UpstreamFailure, boolean]>([
    [500, true],
    [502, true],
    [503, true],
    [504, true],
    ['no-answer', true],
    // RFC 5861 section 4 names the four; others are the origin's answer.
    [501, false],
    [505, false],
    [511, false],
    [599, false],
    [404, false],
    [429, false],
    [200, false],
  ])('takes %s for an error: %s', (failure, expected) => {
    expect(serves('max-age=60, stale-if-error=30', 70, {}, {}, failure)).toBe(expected);
    expect(serves('max-age=60', 70, {}, { staleIfError: 30 }, failure)).toBe(expected);
  });

  it('serves no stored 5xx once it is stale: it is no better than the error at hand', () => {
    const mount = { ...options, staleIfError: 99 };
    const broken = (status: number) => stored({ 'Cache-Control': 'max-age=60' }, { status });
    const serves = (status: number, seconds: number) =>
      mayServeStaleOnError(get(), broken(status), mount, at(seconds), 'no-answer');
    expect([200, 404, 499].map((status) => serves(status, 70))).toEqual([true, true, true]);
    expect([500, 503, 599].map((status) => serves(status, 70))).toEqual([false, false, false]);
    expect(serves(503, 30)).toBe(true);
  });

  it('leaves what a silent upstream means to the operator (RFC 9111 section 4.2.4)', () => {
    const never = { staleIfError: 99, staleOnDisconnect: false };
    expect(serves('max-age=60', 70, {}, never, 'no-answer')).toBe(false);
    expect(serves('max-age=60, stale-if-error=30', 70, {}, never, 'no-answer')).toBe(false);
    expect(serves('max-age=60', 70, {}, never, 503)).toBe(true);
    // Not stale: the mount's rule alone wanted a validation.
    const validate = { ...never, freshness: 'validate' as const };
    expect(serves('max-age=60', 30, {}, validate, 'no-answer')).toBe(true);
  });

  it('has the window of the response, else of the mount', () => {
    expect(serves('max-age=60, stale-if-error=30', 89)).toBe(true);
    expect(serves('max-age=60, stale-if-error=30', 90)).toBe(false);
    expect(serves('max-age=60, stale-if-error=0', 60, {}, { staleIfError: 99 })).toBe(false);
    expect(serves('max-age=60', 60)).toBe(false);
    expect(serves('max-age=60', 158, {}, { staleIfError: 99 })).toBe(true);
    expect(serves('max-age=60', 159, {}, { staleIfError: 99 })).toBe(false);
  });

  it('lets the client narrow the window, and open one where nobody else spoke', () => {
    const asks = (n: number) => ({ 'Cache-Control': `stale-if-error=${n}` });
    expect(serves('max-age=60, stale-if-error=30', 70, asks(5))).toBe(false);
    expect(serves('max-age=60, stale-if-error=30', 95, asks(99))).toBe(false);
    expect(serves('max-age=60', 70, asks(99))).toBe(true);
    expect(serves('max-age=60', 70, asks(0), { staleIfError: 99 })).toBe(false);
  });

  it('serves what is still fresh and was validated only for the client or the mount', () => {
    expect(serves('max-age=60', 30, { 'Cache-Control': 'max-age=0' })).toBe(true);
    expect(serves('s-maxage=60', 30, {}, { freshness: 'validate' })).toBe(true);
    expect(serves('s-maxage=60', 61, {}, { freshness: 'validate', staleIfError: 99 })).toBe(false);
    expect(serves('max-age=60', 61, {}, { freshness: 'validate', staleIfError: 99 })).toBe(true);
  });

  it('respects a client that insists on the origin', () => {
    const mount = { staleIfError: 99 };
    expect(serves('max-age=60', 30, { 'Cache-Control': 'no-cache' }, mount)).toBe(false);
    expect(serves('max-age=60', 30, { Pragma: 'no-cache' }, mount)).toBe(false);
  });
});

describe('the mount’s freshness rule', () => {
  it('forever: a 200 is never stale, whatever it says and however old it is', () => {
    const forever = { freshness: 'forever' as const, negativeTtl: 5 };
    const meta = stored({ 'Cache-Control': 'no-cache, must-revalidate, max-age=0', Age: '999' });
    const decision = decide(get(), [meta], { ...options, ...forever }, at(1e9));
    expect(decision).toMatchObject({ kind: 'fresh', ttl: Infinity, age: 1e9 + 999 });
    expect(kind(meta, 9, { 'Cache-Control': 'no-cache' }, forever)).toBe('validate (request)');
    expect(kind(meta, 9, { 'Cache-Control': 'min-fresh=9' }, forever)).toBe('fresh');
    expect(kind(meta, 9, { 'Cache-Control': 'max-age=0' }, forever)).toBe('fresh');
    expect(kind(meta, 9, { 'Cache-Control': 'max-age=8' }, forever)).toBe('fresh');
    const mount = { ...options, ...forever };
    const request = get({ 'Cache-Control': 'max-age=0' });
    expect(mayServeStaleOnError(request, meta, mount, at(9), 'no-answer')).toBe(true);
  });

  it('forever: a 404 lives as long as negative answers do', () => {
    const forever = { freshness: 'forever' as const, negativeTtl: 5 };
    const missing = stored({}, { status: 404 });
    expect(kind(missing, 4, {}, forever)).toBe('fresh');
    expect(kind(missing, 5, {}, forever)).toBe('validate (stale)');
  });

  it('validate: nothing is served unasked', () => {
    const validate = { freshness: 'validate' as const };
    const meta = stored({ 'Cache-Control': 'max-age=60, stale-while-revalidate=60' });
    expect(kind(meta, 0, {}, validate)).toBe('validate (stale)');
    expect(kind(meta, 0, { 'Cache-Control': 'max-stale' }, validate)).toBe('validate (stale)');
    expect(kind(meta, 0, { 'Cache-Control': 'only-if-cached' }, validate)).toBe('only-if-cached');
  });
});
