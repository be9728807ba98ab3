import { expect, it } from 'vitest';
import { parseCargoPath } from '../../src/ecosystems/cargo-path.ts';
import { parsePypiPath } from '../../src/ecosystems/pypi-name.ts';
import { decodedSegment, lastSegment } from '../../src/ecosystems/url-segment.ts';

it.each([
  ['a%20b', 'a b'],
  ['a/b', 'a/b'],
  ['a%2Fb', undefined],
  ['%ff', undefined],
  ['a'.repeat(255), 'a'.repeat(255)],
  ['a'.repeat(256), undefined],
  ['%61'.repeat(255), 'a'.repeat(255)],
])('%j is %j', (segment, decoded) => {
  expect(decodedSegment(segment)).toBe(decoded);
});

it('is the last of a URL', () => {
  expect(lastSegment('https://example.com/a/b%20c?d#e')).toBe('b c');
});

it('is no file of an index when no file system would have it', () => {
  expect(parsePypiPath(`/files/a${'-1'.repeat(30_000)}.zip`)).toEqual({ kind: 'other' });
  expect(parseCargoPath(`/crates/a/a${'-1.1.1'.repeat(10_000)}.crate`)).toEqual({ kind: 'other' });
});
