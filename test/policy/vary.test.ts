import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesVary, varyOf } from '../../src/policy/vary.ts';
import { type Fields, raw } from './stored.ts';

function matches(vary: string | string[], first: Fields, second: Fields): boolean {
  const fields = varyOf(raw(first), raw({ Vary: vary }));
  return fields !== '*' && matchesVary(fields, raw(second));
}

describe('nominated fields (RFC 9110 section 12.5.5)', () => {
  it.each(['*', '*, *', ', *', '*, Foo', 'Foo, *'])('Vary: %s matches nothing', (vary) => {
    expect(varyOf([], raw({ Vary: vary }))).toBe('*');
  });

  it.each(['"Accept"', 'Accept Foo', 'Accept; q=1', 'Foo, B/r', '\xe9'])(
    'takes %s, which is no list of names, for *',
    (vary) => {
      expect(varyOf([], raw({ Vary: vary }))).toBe('*');
    },
  );

  it('finds * on any line', () => {
    expect(varyOf([], raw({ Vary: ['', '*'] }))).toBe('*');
    expect(varyOf([], raw({ Vary: ['Foo', 'Bar , *'] }))).toBe('*');
  });

  it('lists names in lower case, sorted, once, absence as null', () => {
    const vary = raw({ Vary: ['Foo,BAR', 'foo, , baz'] });
    expect(varyOf(raw({ Foo: '1', baz: '' }), vary)).toEqual([
      ['bar', null],
      ['baz', ''],
      ['foo', '1'],
    ]);
  });

  it('is empty without Vary, and then matches every request', () => {
    expect(varyOf(raw({ Foo: '1' }), [])).toEqual([]);
    expect(matchesVary([], raw({ Foo: '2' }))).toBe(true);
  });
});

describe('matching (RFC 9111 section 4.1)', () => {
  it.each([
    ['the same value', { Foo: '1' }, { Foo: '1' }, true],
    ['another value', { Foo: '1' }, { Foo: '2' }, false],
    ['absence for a value', { Foo: '1' }, {}, false],
    ['a value for absence', {}, { Foo: '1' }, false],
    ['emptiness for absence', {}, { Foo: '' }, false],
    ['absence for emptiness', { Foo: '' }, {}, false],
    ['absence for absence', {}, {}, true],
    ['a field that is not nominated', { Foo: '1', Bar: 'x' }, { Foo: '1', Bar: 'y' }, true],
    ['another case of the name', { Foo: '1' }, { fOO: '1' }, true],
    ['another case of the value', { Foo: 'a' }, { Foo: 'A' }, false],
    ['list white space', { Foo: '1,2' }, { Foo: ' 1,  2 ' }, true],
    ['lines for a list', { Foo: '1, 2' }, { Foo: ['1', '2'] }, true],
    ['another order', { Foo: '1, 2' }, { Foo: '2, 1' }, false],
    ['space inside a quoted string', { Foo: '"a,b"' }, { Foo: '"a, b"' }, false],
  ])('with %s', (_, first, second, expected) => {
    expect(matches('Foo', first, second)).toBe(expected);
  });

  it('needs all nominated fields to match', () => {
    const first = { Foo: '1', Bar: 'abc' };
    expect(matches('Foo, Bar', first, { Bar: 'abc', Foo: '1' })).toBe(true);
    expect(matches('Foo, Bar', first, { Foo: '1', Bar: 'abcd' })).toBe(false);
    expect(matches(['Foo', 'Bar'], first, { Foo: '1' })).toBe(false);
  });

  it.each([
    ['Accept-Encoding', 'gzip, br', 'BR,GZip', true],
    ['Accept-Encoding', 'gzip;q=0.5, br', 'br,gzip ; q=0.5', true],
    ['Accept-Encoding', 'gzip;q=0.5, br', 'br;q=0.5, gzip', false],
    ['Accept-Encoding', '', 'identity', false],
    ['Accept-Language', 'en-GB, de', 'EN-gb,DE', true],
    ['Accept-Language', 'en, de', 'de, en', false],
    ['Accept-Charset', 'UTF-8', 'utf-8', true],
    ['Accept', 'Text/HTML; q=0.5, */*', 'text/html;q=0.5,*/*', true],
    ['Accept', 'text/html; version=A', 'text/html; version=a', false],
    ['Accept', 'text/html; p="a ; b"', 'text/html; p="a;b"', false],
    ['Accept', 'text/html, text/plain', 'text/plain, text/html', false],
    ['User-Agent', 'a (x, y)', 'a (x,y)', false],
    ['Cookie', 'a=1,b=2', 'a=1, b=2', false],
    ['Origin', 'https://example.com', 'https://EXAMPLE.com', false],
  ])('%s: %j and %j: %s', (name, first, second, expected) => {
    expect(matches(name, { [name]: first }, { [name]: second })).toBe(expected);
  });
});

describe('properties', () => {
  const name = fc.constantFrom('accept', 'accept-encoding', 'accept-language', 'cookie', 'foo');
  const value = fc.string({ unit: fc.constantFrom('a', 'B', '"', '\\', ',', ';', ' ', '=', '\t') });
  const fields = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((pairs) => pairs.flat());
  const everything = raw({ Vary: 'accept, accept-encoding, accept-language, cookie, foo, bar' });

  it('every request matches what was stored for it', () => {
    fc.assert(
      fc.property(fields, (headers) => {
        const vary = varyOf(headers, everything);
        return vary !== '*' && matchesVary(vary, headers);
      }),
    );
  });

  it('matching means the same nominated values, in both directions', () => {
    fc.assert(
      fc.property(fields, fields, (first, second) => {
        const [one, two] = [varyOf(first, everything), varyOf(second, everything)];
        if (one === '*' || two === '*') return false;
        const same = JSON.stringify(one) === JSON.stringify(two);
        return matchesVary(one, second) === same && matchesVary(two, first) === same;
      }),
    );
  });

  it('what matched before changes no later answer', () => {
    fc.assert(
      fc.property(fields, fc.array(fields, { maxLength: 6 }), (first, requests) => {
        const vary = varyOf(first, everything);
        if (vary === '*') return false;
        return [...requests, first, ...requests].every(
          (headers) => matchesVary(vary, headers) === matchesVary([...vary], headers),
        );
      }),
    );
  });

  it('normalising is idempotent', () => {
    fc.assert(
      fc.property(fields, (headers) => {
        const vary = varyOf(headers, everything);
        if (vary === '*') return false;
        const again = vary.flatMap(([field, text]) => (text === null ? [] : [field, text]));
        expect(varyOf(again, everything)).toEqual(vary);
      }),
    );
  });
});
