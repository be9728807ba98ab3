import { describe, expect, test } from 'vitest';
import { fieldValue } from '../../src/core/raw-headers.ts';
import {
  asWhole,
  type Continuation,
  continuationOf,
  identityOf,
  leadsTo,
} from '../../src/pipeline/resume.ts';
import type { Leftover, PartialBody } from '../../src/storage/store.ts';
import { FakeResponse } from './fake-response.ts';
import { head, key } from './fill-fixture.ts';

const digest = { algorithm: 'sha256', hex: 'ab'.repeat(32) } as const;
const other = { algorithm: 'sha256', hex: 'cd'.repeat(32) } as const;
const leftover: Leftover = {
  key,
  etag: '"v1"',
  head: { ...head, headers: ['ETag', '"v1"', 'Content-Type', 'text/x', 'Date', 'then'] },
  size: 100,
  missing: [{ first: 40, last: 99 }],
};
const withDigest: Leftover = { ...leftover, digest };

describe('the request for the rest of a body', () => {
  test('asks for what is behind the first missing byte, if it is still the same', () => {
    expect(continuationOf([leftover], [], undefined)?.fields).toEqual([
      ...['Range', 'bytes=40-'],
      ...['If-Range', '"v1"'],
    ]);
  });

  test('asks for no byte that is there', () => {
    const missing = [
      { first: 40, last: 59 },
      { first: 80, last: 99 },
    ];
    const [, range] = continuationOf([{ ...leftover, missing }], [], undefined)?.fields ?? [];
    expect(range).toBe('bytes=40-59');
  });

  test('asks for the last byte when all are there', () => {
    const [, range] = continuationOf([{ ...leftover, missing: [] }], [], undefined)?.fields ?? [];
    expect(range).toBe('bytes=99-');
  });

  test('needs no entity tag under the same digest', () => {
    const { fields, byDigest } = continuationOf([withDigest], [], digest) ?? {};
    expect(fields).toEqual(['Range', 'bytes=40-99']);
    expect(byDigest).toBe(true);
  });

  test('relies on the entity tag where only one of the two knows a digest', () => {
    const { byDigest, fields } = continuationOf([leftover], [], digest) ?? {};
    expect(byDigest).toBe(false);
    // With an end it is a segment, which mirrors of anybody may bring.
    expect(fields).toEqual(['Range', 'bytes=40-99', 'If-Range', '"v1"']);
    expect(continuationOf([withDigest], [], undefined)?.byDigest).toBe(false);
  });

  const { etag: _, ...untagged } = leftover;
  test.each<[string, Leftover]>([
    ['of another digest', { ...leftover, digest: other }],
    ['that nothing identifies', untagged],
    ['whose beginning is missing', { ...leftover, missing: [{ first: 0, last: 99 }] }],
    ['of another variant', { ...leftover, head: { ...head, vary: [['accept', 'text/html']] } }],
  ])('is not sent for a body %s', (_what, left) => {
    expect(continuationOf([left], ['Accept', 'text/plain'], digest)).toBeUndefined();
  });
});

describe('the answer to it', () => {
  const rest = continuationOf([leftover], [], undefined) as Continuation;
  const fields = ['ETag', '"v1"', 'Content-Range', 'bytes 40-99/100', 'Date', 'now', 'X-New', '1'];

  test('is the 200 that it is a part of, with the fields that it need not repeat', () => {
    const response = new FakeResponse(206, [...fields, 'Content-Length', '60']);
    const { whole, range } = asWhole(rest, response) ?? {};
    expect(range).toEqual({ first: 40, last: 99 });
    expect(whole?.status).toBe(200);
    const headers = whole?.headers ?? [];
    expect(fieldValue(headers, 'content-length')).toBe('100');
    expect(fieldValue(headers, 'content-range')).toBeUndefined();
    expect(fieldValue(headers, 'content-type')).toBe('text/x');
    expect(fieldValue(headers, 'date')).toBe('now');
    expect(fieldValue(headers, 'x-new')).toBe('1');
    whole?.abort();
    whole?.demote('short');
    expect(response).toMatchObject({ aborted: true, faults: ['short'] });
  });

  test.each<[string, number, string[]]>([
    ['another entity tag', 206, ['ETag', '"v2"', 'Content-Range', 'bytes 40-99/100']],
    ['no entity tag', 206, ['Content-Range', 'bytes 40-99/100']],
    ['another length', 206, ['ETag', '"v1"', 'Content-Range', 'bytes 40-99/101']],
    ['another range', 206, ['ETag', '"v1"', 'Content-Range', 'bytes 41-99/100']],
    ['no range', 206, ['ETag', '"v1"']],
    ['another status', 416, ['ETag', '"v1"', 'Content-Range', 'bytes 40-99/100']],
  ])('with %s is no part of the same body', (_what, status, headers) => {
    expect(asWhole(rest, new FakeResponse(status, headers))).toBeUndefined();
  });

  test('may have another entity tag under the same digest, but no other length', () => {
    const proven = continuationOf([withDigest], [], digest) as Continuation;
    const of = (range: string) =>
      asWhole(proven, new FakeResponse(206, ['ETag', '"v2"', 'Content-Range', range]));
    expect(of('bytes 40-99/100')).toBeDefined();
    expect(of('bytes 40-99/101')).toBeUndefined();
  });
});

test.each([
  [0, true],
  [30, true],
  [31, false],
])('what was taken up leads to byte %i or not', (position, expected) => {
  const pieces = [
    { first: 0, last: 9 },
    { first: 10, last: 29 },
    { first: 40, last: 49 },
  ];
  const partial = { resumed: { pieces } } as unknown as PartialBody;
  expect(leadsTo(partial, position)).toBe(expected);
  expect(leadsTo(undefined, position)).toBe(position === 0);
});

test.each([
  ['a weak entity tag', 200, ['ETag', 'W/"1"']],
  ['no entity tag', 200, []],
  ['another status', 404, ['ETag', '"1"']],
  ['ranges refused', 200, ['ETag', '"1"', 'Accept-Ranges', 'none']],
])('a body with %s has no identity', (_what, status, headers) => {
  expect(identityOf(key, { ...head, status, headers }, undefined)).toBeUndefined();
});
