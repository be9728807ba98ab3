import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  serialiseBareItem,
  serialiseInteger,
  serialiseItem,
  serialiseString,
  Token,
} from '../../src/telemetry/structured-field.ts';

test.each([
  ['plain', '"plain"'],
  ['', '""'],
  ['say "no" to \\', '"say \\"no\\" to \\\\"'],
  ['naïve\r\nInjected: yes\u007f', '"naveInjected: yes"'],
])('string %j is written as %s (RFC 9651 section 4.1.6)', (text, expected) => {
  expect(serialiseString(text)).toBe(expected);
});

test.each([
  [0, '0'],
  [-0, '0'],
  [-1.9, '-1'],
  [1e300, '999999999999999'],
  [Number.POSITIVE_INFINITY, '999999999999999'],
  [Number.NEGATIVE_INFINITY, '-999999999999999'],
])('integer %d is written as %s (RFC 9651 section 4.1.4)', (value, expected) => {
  expect(serialiseInteger(value)).toBe(expected);
});

test('booleans stand alone as ?1 and ?0, and as a bare key among parameters', () => {
  expect(serialiseBareItem(true)).toBe('?1');
  expect(
    serialiseItem(new Token('a'), { yes: true, no: false, gone: undefined, n: 7, s: 'x' }),
  ).toBe('a; yes; no=?0; n=7; s="x"');
});

test('what cannot be said is a programming error', () => {
  for (const text of ['', '1a', 'a b', 'a"', 'ä']) expect(() => new Token(text)).toThrow(TypeError);
  expect(() => serialiseItem(1, { Upper: true })).toThrow(TypeError);
  expect(() => serialiseInteger(Number.NaN)).toThrow(TypeError);
});

test('property: any string is a valid sf-string', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) =>
      /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"$/.test(serialiseString(text)),
    ),
  );
});
