import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import { fieldLines, fieldValue } from '../../src/core/raw-headers.ts';
import { decide } from '../../src/policy/decide.ts';
import { freshen, freshenByHead } from '../../src/policy/freshen.ts';
import { currentAge } from '../../src/policy/freshness.ts';
import { at, date, type Fields, get, options, raw, stored } from './stored.ts';

function update(meta: ArtifactMeta, fields: Fields, requestHeaders?: string[]) {
  return freshen(meta, {
    headers: raw(fields),
    requestTime: at(100),
    responseTime: at(101),
    ...(requestHeaders && { requestHeaders }),
  });
}

describe('identification (RFC 9111 section 4.3.4)', () => {
  const modified = { 'Last-Modified': date(-9) };

  it.each([
    ['the same strong tag', { ETag: '"a"' }, { ETag: '"a"' }, true],
    ['another strong tag', { ETag: '"a"' }, { ETag: '"b"' }, false],
    [
      'another strong tag and the same date',
      { ETag: '"a"', ...modified },
      { ETag: '"b"', ...modified },
      false,
    ],
    ['a strong tag where none was', modified, { ETag: '"a"', ...modified }, false],
    ['the same weak tag', { ETag: 'W/"a"' }, { ETag: 'W/"a"' }, true],
    ['another weak tag', { ETag: 'W/"a"' }, { ETag: 'W/"b"' }, false],
    ['a weak tag of a strong one', { ETag: '"a"' }, { ETag: 'W/"a"' }, true],
    ['a strong tag of a weak one', { ETag: 'W/"a"' }, { ETag: '"a"' }, true],
    ['the same date', modified, modified, true],
    ['another date', modified, { 'Last-Modified': date(-8) }, false],
    ['a date where a tag was sent', { ETag: '"a"' }, modified, true],
    [
      'another date, where a tag was sent too',
      { ETag: '"a"', ...modified },
      { 'Last-Modified': date(-8) },
      false,
    ],
    ['the same date, where a tag was sent too', { ETag: '"a"', ...modified }, modified, true],
    [
      'the same tag and another date',
      { ETag: '"a"', ...modified },
      { ETag: '"a"', 'Last-Modified': date(-8) },
      true,
    ],
    ['two tags', { ETag: '"a"' }, { ETag: ['"a"', '"a"'] }, false],
    ['no validator', { ETag: '"a"' }, {}, true],
    ['no validator where none was', {}, {}, true],
  ] satisfies [string, Fields, Fields, boolean][])(
    'a 304 with %s',
    (_, before, after, expected) => {
      expect(update(stored(before), after) !== undefined).toBe(expected);
    },
  );
});

describe('updating (RFC 9111 section 3.2)', () => {
  const meta = stored(
    {
      ETag: '"a"',
      'Cache-Control': ['max-age=1', 'public'],
      'Content-Length': '3',
      'Content-Type': 'text/plain',
      'Content-Encoding': 'gzip',
      'X-Kept': ['1', '2'],
      'X-Changed': 'old',
      Age: '50',
    },
    { mount: '/m' },
  );

  it('takes the place of the stored lines of a name, and keeps what the 304 omits', () => {
    const next = update(meta, {
      ETag: '"a"',
      'cache-control': 'max-age=60',
      'X-Changed': ['n', 'm'],
    });
    const headers = next?.headers ?? [];
    expect(fieldLines(headers, 'cache-control')).toEqual(['max-age=60']);
    expect(fieldLines(headers, 'x-changed')).toEqual(['n', 'm']);
    expect(fieldLines(headers, 'x-kept')).toEqual(['1', '2']);
    expect(next).toMatchObject({ status: 200, body: meta.body, mount: '/m', vary: [] });
  });

  it('never changes what belongs to the body', () => {
    const next = update(meta, {
      ETag: 'W/"a"',
      'Content-Length': '99',
      'Content-Encoding': 'br',
      'Content-Range': 'bytes 0-1/2',
      'Content-MD5': 'x',
      'Repr-Digest': 'x',
      'Content-Type': 'text/plain;charset=utf-8',
    });
    const value = (name: string) => fieldValue(next?.headers ?? [], name);
    expect(value('etag')).toBe('"a"');
    expect(value('content-length')).toBe('3');
    expect(value('content-encoding')).toBe('gzip');
    expect(value('content-range')).toBeUndefined();
    expect(value('content-md5')).toBeUndefined();
    expect(value('repr-digest')).toBeUndefined();
    expect(value('content-type')).toBe('text/plain;charset=utf-8');
  });

  it('leaves out fields of the connection', () => {
    const next = update(meta, {
      Connection: 'close, X-Hop',
      'X-Hop': '1',
      'Keep-Alive': 'timeout=5',
    });
    const text = next?.headers.join(' ') ?? '';
    expect(text).not.toMatch(/x-hop|keep-alive|connection/i);
  });

  it('makes the response as young as the 304', () => {
    const next = update(meta, { Date: date(101), 'Cache-Control': 'max-age=60' }) as ArtifactMeta;
    expect(next).toMatchObject({ requestTime: at(100), responseTime: at(101) });
    // The stored Age is gone; a second of delay counts.
    expect(currentAge(next, at(101))).toBe(1);
    expect(decide(get(), [next], options, at(159))).toMatchObject({ kind: 'fresh', ttl: 1 });
    const aged = update(meta, { Date: date(101), Age: '7' }) as ArtifactMeta;
    expect(currentAge(aged, at(101))).toBe(8);
  });

  it('dates a 304 without Date by its receipt (RFC 9110 section 6.6.1)', () => {
    const next = update(meta, {}) as ArtifactMeta;
    expect(fieldLines(next.headers, 'date')).toEqual([date(101)]);
    expect(currentAge(next, at(101))).toBe(1);
  });

  it('does not touch the stored response', () => {
    const before = structuredClone(meta);
    update(meta, { 'X-Changed': 'new' });
    expect(meta).toEqual(before);
  });

  it('lets a changed Vary take effect for the request that was validated', () => {
    const variant = stored({ ETag: '"a"', Vary: 'Foo' }, { vary: [['foo', '1']] });
    const request = raw({ Foo: '1', Bar: '2' });
    const next = update(variant, { Vary: 'Foo, Bar' }, request);
    expect(next?.vary).toEqual([
      ['bar', '2'],
      ['foo', '1'],
    ]);
    expect(fieldValue(next?.headers ?? [], 'vary')).toBe('Foo, Bar');
    expect(update(variant, { Vary: '*' }, request)).toBeUndefined();
    expect(update(variant, {}, request)?.vary).toEqual([['foo', '1']]);
  });

  it('keeps the stored Vary when that request is not told', () => {
    const variant = stored({ Vary: 'Foo' }, { vary: [['foo', '1']] });
    const next = update(variant, { Vary: 'Foo, Bar' });
    expect(next?.vary).toEqual([['foo', '1']]);
    expect(fieldLines(next?.headers ?? [], 'vary')).toEqual(['Foo']);
  });

  it('holds each field of the 304 and each other stored one, byte for byte', () => {
    const name = fc.constantFrom('X-A', 'x-a', 'X-B', 'x-c');
    const fields = fc.array(fc.tuple(name, fc.string()), { maxLength: 6 }).map((f) => f.flat());
    const lines = (headers: readonly string[], field: string) => fieldLines(headers, field);
    fc.assert(
      fc.property(fields, fields, (before, after) => {
        const next = freshen(stored({}, { headers: before }), {
          headers: after,
          requestTime: at(1),
          responseTime: at(1),
        });
        for (const field of ['x-a', 'x-b', 'x-c']) {
          const changed = lines(after, field);
          const expected = changed.length > 0 ? changed : lines(before, field);
          expect(lines(next?.headers ?? [], field)).toEqual(expected);
        }
      }),
    );
  });
});

describe('a 200 to HEAD (RFC 9111 section 4.3.5)', () => {
  const before = { ETag: '"a"', 'Last-Modified': date(-9), 'Cache-Control': 'max-age=1' };
  const byHead = (fields: Fields, meta = stored(before)) =>
    freshenByHead(meta, { headers: raw(fields), requestTime: at(100), responseTime: at(101) });

  it.each([
    ['the same validators and length', { ...before, 'Content-Length': '3' }, true],
    ['the same tag', { ETag: '"a"' }, true],
    ['the same length', { 'Content-Length': '3' }, true],
    ['nothing to tell it by', {}, true],
    ['another tag', { ETag: '"b"' }, false],
    ['a weak tag where a strong one is stored', { ETag: 'W/"a"' }, false],
    ['two tags', { ETag: ['"a"', '"a"'] }, false],
    ['another date', { ETag: '"a"', 'Last-Modified': date(-8) }, false],
    ['another length', { ETag: '"a"', 'Content-Length': '4' }, false],
    ['a length that is none', { 'Content-Length': 'three' }, false],
  ] satisfies [string, Fields, boolean][])('with %s', (_, fields, same) => {
    expect(byHead(fields) !== undefined).toBe(same);
  });

  it('with a tag where none is stored', () => {
    expect(byHead({ ETag: '"a"' }, stored())).toBeUndefined();
  });

  it('brings its fields, and the time at which it came', () => {
    const meta = byHead({ ETag: '"a"', 'Cache-Control': 'max-age=60', 'X-New': '1' });
    expect(meta).toMatchObject({ requestTime: at(100), responseTime: at(101) });
    expect(fieldLines(meta?.headers ?? [], 'cache-control')).toEqual(['max-age=60']);
    expect(fieldLines(meta?.headers ?? [], 'x-new')).toEqual(['1']);
    expect(meta?.body).toEqual(stored().body);
  });
});
