import { describe, expect, it } from 'vitest';
import { setCookieRules } from '../../src/core/store-rules.ts';
import type { PolicyOptions } from '../../src/policy/policy-options.ts';
import { mayStore, mayStorePosted } from '../../src/policy/storing.ts';
import { date, type Fields, get, options, raw } from './stored.ts';

function verdict(
  status: number,
  fields: Fields,
  request = get(),
  mount: Partial<PolicyOptions> = {},
): string {
  const response = { status, headers: raw(fields) };
  const result = mayStore(request, response, { ...options, ...mount });
  return result.store ? 'stored' : result.reason;
}

const fresh = { 'Cache-Control': 'max-age=60' };

describe('storing (RFC 9111 section 3)', () => {
  it.each([200, 201, 203, 204, 299, 301, 302, 307, 400, 404, 410, 451, 499, 500, 502, 503, 599])(
    'stores a %i with explicit freshness',
    (status) => {
      expect(verdict(status, fresh)).toBe('stored');
      expect(verdict(status, { Expires: date(60) })).toBe('stored');
    },
  );

  it.each([100, 101, 102, 103, 206, 304, 600])('never stores a %i', (status) => {
    expect(verdict(status, fresh)).toBe('status');
  });

  it.each(['HEAD', 'POST', 'PUT', 'OPTIONS', 'get'])('never stores the answer to %s', (method) => {
    expect(verdict(200, fresh, { method, headers: [] })).toBe('method');
  });

  it.each([
    ['no-store, max-age=60', 'no-store'],
    ['No-StOrE', 'no-store'],
    ['private, max-age=60', 'private'],
    ['private="x-user", max-age=60', 'private'],
    ['no-cache', 'stored'],
    ['no-cache="set-cookie", max-age=60', 'stored'],
    ['ext="no-store, private", max-age=60', 'stored'],
  ])('with Cache-Control: %s it is %s', (value, expected) => {
    expect(verdict(200, { 'Cache-Control': value })).toBe(expected);
  });

  it('follows a targeted field in place of Cache-Control', () => {
    const both = { 'Cache-Control': 'no-store', 'CDN-Cache-Control': 'max-age=60' };
    expect(verdict(200, both)).toBe('stored');
    const reverse = { ...fresh, 'CDN-Cache-Control': 'no-store' };
    expect(verdict(200, reverse)).toBe('no-store');
    expect(verdict(299, { 'CDN-Cache-Control': 'none', Expires: date(60) })).toBe('no-freshness');
  });

  it('heeds the client’s no-store (section 5.2.1.5)', () => {
    const request = get({ 'Cache-Control': 'no-store' });
    expect(verdict(200, fresh, request)).toBe('request-no-store');
  });

  it('needs explicit freshness, public, or a status that allows a heuristic', () => {
    expect(verdict(200, {})).toBe('stored');
    expect(verdict(404, {})).toBe('stored');
    expect(verdict(302, {})).toBe('no-freshness');
    expect(verdict(503, {})).toBe('no-freshness');
    expect(verdict(503, { 'Cache-Control': 'public' })).toBe('stored');
  });

  it('refuses what no request would match', () => {
    expect(verdict(200, { ...fresh, Vary: '*' })).toBe('vary-star');
    expect(verdict(200, { ...fresh, Vary: ['Accept', 'Foo, *'] })).toBe('vary-star');
    expect(verdict(200, { ...fresh, Vary: 'Accept, x-*' })).toBe('stored');
  });

  it.each([
    // Set-Cookie does not inhibit caching (section 7.3); what storeSetCookie makes of it.
    [{ ...fresh }, { explicit: 'stored', always: 'stored', never: 'set-cookie' }],
    [{ Expires: date(60) }, { explicit: 'stored', always: 'stored', never: 'set-cookie' }],
    [{ 'Cache-Control': 'public' }, { explicit: 'stored', always: 'stored', never: 'set-cookie' }],
    [
      { 'Last-Modified': date(-999) },
      { explicit: 'set-cookie', always: 'stored', never: 'set-cookie' },
    ],
    [{}, { explicit: 'set-cookie', always: 'stored', never: 'set-cookie' }],
    [{ 'Cache-Control': 'private' }, { explicit: 'private', always: 'private', never: 'private' }],
  ])('with a cookie and %j it is %j', (fields, expected) => {
    for (const rule of setCookieRules) {
      const verdictNow = verdict(200, { ...fields, 'Set-Cookie': 'a=b' }, get(), {
        storeSetCookie: rule,
      });
      expect(verdictNow, rule).toBe(expected[rule]);
      const without = verdict(200, fields, get(), { storeSetCookie: rule });
      expect(without, rule).toBe(verdict(200, fields));
    }
  });

  it.each([500, 501, 503, 511, 599])('stores a %i unless the operator wants none', (status) => {
    expect(verdict(status, fresh)).toBe('stored');
    expect(verdict(status, fresh, get(), { storeServerErrors: false })).toBe('server-error');
    expect(verdict(404, fresh, get(), { storeServerErrors: false })).toBe('stored');
  });
});

describe('must-understand (RFC 9111 section 5.2.2.3)', () => {
  it('overrides no-store for a status that is understood', () => {
    expect(verdict(200, { 'Cache-Control': 'no-store, must-understand, max-age=60' })).toBe(
      'stored',
    );
  });

  it('refuses a status that is not', () => {
    expect(verdict(299, { 'Cache-Control': 'must-understand, max-age=60' })).toBe(
      'must-understand',
    );
    expect(verdict(599, { 'Cache-Control': 'no-store, must-understand, max-age=60' })).toBe(
      'must-understand',
    );
  });

  it('does not override private', () => {
    expect(verdict(200, { 'Cache-Control': 'must-understand, private' })).toBe('private');
  });
});

describe('authenticated requests (RFC 9111 section 3.5)', () => {
  it.each([
    ['max-age=60', 'authorization'],
    ['max-age=60, proxy-revalidate', 'authorization'],
    ['max-age=60, public', 'stored'],
    ['max-age=60, must-revalidate', 'stored'],
    ['s-maxage=60', 'stored'],
  ])('with Cache-Control: %s it is %s', (value, expected) => {
    const request = get({ authorization: 'Basic eDp5' });
    expect(verdict(200, { 'Cache-Control': value }, request)).toBe(expected);
  });
});

describe('a response to POST (RFC 9110 sections 9.3.3 and 8.7)', () => {
  const url = 'http://example.com/form?a';
  const fresh = { 'Cache-Control': 'max-age=60', 'Content-Location': '/form?a' };

  it.each<[string, boolean, Fields, number?]>([
    ['with freshness and its own location', true, fresh],
    ['with the whole URL', true, { ...fresh, 'Content-Location': url }],
    ['with Expires', true, { 'Content-Location': '?a', Date: date(0), Expires: date(60) }],
    ['without location', false, { 'Cache-Control': 'max-age=60' }],
    ['with the location of another', false, { ...fresh, 'Content-Location': '/form' }],
    ['with two locations', false, { ...fresh, 'Content-Location': ['/form?a', '/form?a'] }],
    ['without freshness', false, { 'Content-Location': '/form?a', 'Last-Modified': date(-60) }],
    ['that is private', false, { ...fresh, 'Cache-Control': 'max-age=60, private' }],
    ['that is a 201', false, fresh, 201],
  ])('of a POST %s: %s', (_, expected, fields, status = 200) => {
    const response = { status, headers: raw(fields) };
    expect(mayStorePosted({ url, headers: [] }, response, options)).toBe(expected);
  });
});
