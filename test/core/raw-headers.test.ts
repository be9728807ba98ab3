import { expect, test } from 'vitest';
import { fieldLines, fieldValue, soleLine, withoutFields } from '../../src/core/raw-headers.ts';

const headers = ['Host', 'a', 'VIA', '1.1 b', 'Accept', '*/*', 'via', '1.1 c'];

test('a field has its lines, and its value of all of them', () => {
  expect(fieldLines(headers, 'via')).toEqual(['1.1 b', '1.1 c']);
  expect(fieldValue(headers, 'via')).toBe('1.1 b, 1.1 c');
  expect(fieldLines(headers, 'age')).toEqual([]);
  expect(fieldValue(headers, 'age')).toBeUndefined();
});

test('a field that is there twice has no sole line', () => {
  expect(soleLine(headers, 'via')).toBeUndefined();
  expect(soleLine(headers, 'host')).toBe('a');
  expect(soleLine(headers, 'age')).toBeUndefined();
});

test('without fields that it has a list is another one, without others it is the same', () => {
  const before = [...headers];
  expect(withoutFields(headers, new Set(['via']))).toEqual(['Host', 'a', 'Accept', '*/*']);
  expect(withoutFields(headers, new Set(['host', 'accept', 'via']))).toEqual([]);
  expect(withoutFields(headers, new Set(['age']))).toBe(headers);
  expect(headers).toEqual(before);
});
