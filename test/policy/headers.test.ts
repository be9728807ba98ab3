import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endToEnd, requestFields } from '../../src/policy/headers.ts';

describe('end-to-end fields (RFC 9110 section 7.6.1)', () => {
  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'Proxy-Authentication-Info',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
  ])('drops %s in any case', (name) => {
    expect(endToEnd(['A', '1', name, 'x', name.toUpperCase(), 'y', 'B', '2'])).toEqual([
      'A',
      '1',
      'B',
      '2',
    ]);
  });

  it('drops what Connection lists, on several lines and in any case', () => {
    const headers = [
      'Connection',
      'close, X-One',
      'x-one',
      '1',
      'connection',
      ' x-TWO ,',
      'X-Two',
      '2',
    ];
    expect(endToEnd([...headers, 'X-Three', '3'])).toEqual(['X-Three', '3']);
  });

  it('keeps order, duplicates, case and bytes', () => {
    const headers = ['Set-Cookie', 'a=b', 'X-Latin', '\xe9 ', 'set-cookie', 'c=d', 'TE', 'x'];
    expect(endToEnd(headers)).toEqual(headers.slice(0, -2));
  });

  it.each(['Proxy-Status', 'Content-Length', 'Via', 'Host', 'Expect', 'Upgrade-Insecure-Requests'])(
    'keeps %s',
    (name) => {
      expect(endToEnd([name, 'x'])).toEqual([name, 'x']);
    },
  );

  it('gives back the same list when there is nothing to drop', () => {
    const headers = ['Content-Type', 'text/plain', 'ETag', '"a"', 'Permissions-Policy', 'x'];
    expect(endToEnd(headers)).toBe(headers);
  });

  it('gives back the same list for any list without one-hop fields, and is idempotent', () => {
    const name = fc.constantFrom('A', 'Date', 'cache-control', 'X-Y', 'Connection', 'te', 'pragma');
    const lists = fc.array(fc.tuple(name, fc.string())).map((pairs) => pairs.flat());
    fc.assert(
      fc.property(lists, (headers) => {
        const once = endToEnd(headers);
        expect(endToEnd(once)).toBe(once);
        if (!headers.some((_, i) => i % 2 === 0 && /^(connection|te)$/i.test(headers[i] ?? ''))) {
          expect(once).toBe(headers);
        }
      }),
    );
  });
});

describe('fields that go upstream', () => {
  it('leaves out target, framing and expectation, and keeps the rest', () => {
    const headers = [
      'Host',
      'example.com',
      'Content-Length',
      '3',
      'Expect',
      '100-continue',
      'Transfer-Encoding',
      'chunked',
      'TE',
      'trailers',
      'Trailer',
      'X',
      'Upgrade',
      'h2c',
      'Accept',
      '*/*',
      'If-None-Match',
      '"a"',
      'Cookie',
      'a=b',
    ];
    expect(requestFields(headers)).toEqual([
      'Accept',
      '*/*',
      'If-None-Match',
      '"a"',
      'Cookie',
      'a=b',
    ]);
  });

  it.each(['Host', 'expect', 'CONTENT-LENGTH'])('leaves out %s alone', (name) => {
    expect(requestFields([name, 'x', 'Accept', '*/*'])).toEqual(['Accept', '*/*']);
  });

  it('gives back the same list when there is nothing to leave out', () => {
    const headers = ['Accept', '*/*', 'Content-Type', 'text/plain'];
    expect(requestFields(headers)).toBe(headers);
  });
});
