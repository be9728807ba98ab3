import { describe, expect, it } from 'vitest';
import { invalidatedUrls, invalidates } from '../../src/policy/invalidation.ts';
import { type Fields, raw } from './stored.ts';

describe('invalidation (RFC 9111 section 4.4)', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH', 'get'])(
    'a success of %s invalidates, an error does not',
    (method) => {
      for (const status of [200, 201, 204, 303, 399])
        expect(invalidates(method, status)).toBe(true);
      for (const status of [100, 400, 404, 500, 503])
        expect(invalidates(method, status)).toBe(false);
    },
  );

  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE'])('%s is safe', (method) => {
    expect(invalidates(method, 200)).toBe(false);
  });

  const url = 'http://example.com/dir/a?q=1';
  const also = (fields: Fields) => invalidatedUrls(url, raw(fields)).slice(1);

  it('names the URL itself first', () => {
    expect(invalidatedUrls(url, [])).toEqual([url]);
  });

  it.each([
    ['http://example.com/b', 'http://example.com/b'],
    ['HTTP://EXAMPLE.com:80/b#part', 'http://example.com/b'],
    ['//example.com/b', 'http://example.com/b'],
    ['/b?x', 'http://example.com/b?x'],
    ['b', 'http://example.com/dir/b'],
    ['../b', 'http://example.com/b'],
    ['/x/../b', 'http://example.com/b'],
    ['?q=2', 'http://example.com/dir/a?q=2'],
    // Byte for byte, as the key of a later request will have it.
    ['/a^b|c%2f', 'http://example.com/a^b|c%2f'],
  ])('Location and Content-Location %s name %s', (reference, expected) => {
    expect(also({ Location: reference })).toEqual([expected]);
    expect(also({ 'Content-Location': reference })).toEqual([expected]);
  });

  it.each([
    'http://other.example/b',
    'https://example.com/b',
    'http://example.com:8080/b',
    '//other.example/b',
    'mailto:a@example.com',
    'http://',
    '#part',
    '',
  ])('leaves %j alone', (reference) => {
    expect(also({ Location: reference })).toEqual([]);
  });

  it('names both fields, each URL once', () => {
    expect(also({ Location: '/b', 'Content-Location': ['/c', '/b'] })).toEqual([
      'http://example.com/b',
      'http://example.com/c',
    ]);
  });
});
