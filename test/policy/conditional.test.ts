import { describe, expect, it } from 'vitest';
import {
  evaluatePreconditions,
  notModifiedFields,
  strongEtag,
  validationFields,
} from '../../src/policy/conditional.ts';
import { date, type Fields, get, raw, t0 } from './stored.ts';

function evaluate(request: Fields, response: Fields, status = 200): string {
  return evaluatePreconditions(get(request), {
    status,
    headers: raw(response),
    responseTime: t0,
  });
}

describe('If-None-Match (RFC 9110 section 13.1.2)', () => {
  it.each([
    ['"a"', '"a"', 'not-modified'],
    ['"b"', '"a"', 'proceed'],
    ['"a"', 'W/"a"', 'not-modified'],
    ['W/"a"', '"a"', 'not-modified'],
    ['W/"a"', 'W/"a"', 'not-modified'],
    ['"a", "1", "2"', '"a"', 'not-modified'],
    ['"1","a","2"', '"a"', 'not-modified'],
    ['"1", "2", W/"a"', '"a"', 'not-modified'],
    [['"1"', '"a"'], '"a"', 'not-modified'],
    ['"1", "a,b"', '"a,b"', 'not-modified'],
    ['"1, a"', '"a"', 'proceed'],
    ['"a\\"', '"a\\"', 'not-modified'],
    ['"\xe9"', '"\xe9"', 'not-modified'],
    ['""', '""', 'not-modified'],
    ['*', '"a"', 'not-modified'],
    [' * ', '"a"', 'not-modified'],
    ['"*"', '"a"', 'proceed'],
    ['w/"a"', 'W/"a"', 'proceed'],
    ['x"a"', '"a"', 'proceed'],
    ['"A"', '"a"', 'proceed'],
    ['"open, "a"', '"a"', 'proceed'],
    // Without quotes it is no entity-tag, but the client echoes what it was given.
    ['abc', 'abc', 'not-modified'],
    ['abc', '"abc"', 'proceed'],
    ['"abc"', 'abc', 'proceed'],
  ] satisfies [string | string[], string, string][])(
    '%j against %s: %s',
    (condition, etag, expected) => {
      expect(evaluate({ 'If-None-Match': condition }, { ETag: etag })).toBe(expected);
    },
  );

  it('matches nothing but * without an ETag', () => {
    expect(evaluate({ 'If-None-Match': '"a"' }, {})).toBe('proceed');
    expect(evaluate({ 'If-None-Match': '*' }, {})).toBe('not-modified');
  });

  it('takes precedence over If-Modified-Since (section 13.2.2)', () => {
    const response = { ETag: '"a"', 'Last-Modified': date(-100) };
    const older = { 'If-Modified-Since': date(-200) };
    const newer = { 'If-Modified-Since': date(0) };
    expect(evaluate({ 'If-None-Match': '"a"', ...older }, response)).toBe('not-modified');
    expect(evaluate({ 'If-None-Match': '"b"', ...newer }, response)).toBe('proceed');
  });
});

describe('If-Modified-Since (RFC 9110 section 13.1.3, RFC 9111 section 4.3.2)', () => {
  it.each([
    ['equal to Last-Modified', date(-100), 'not-modified'],
    ['later', date(-50), 'not-modified'],
    ['earlier', date(-101), 'proceed'],
    ['no date', 'yesterday', 'proceed'],
    ['a list', `${date(0)}, ${date(0)}`, 'proceed'],
  ])('that is %s', (_, condition, expected) => {
    const response = { 'Last-Modified': date(-100) };
    expect(evaluate({ 'If-Modified-Since': condition }, response)).toBe(expected);
  });

  it('may be in an obsolete format', () => {
    const request = { 'If-Modified-Since': 'Thursday, 15-Jan-26 11:00:00 GMT' };
    expect(evaluate(request, { 'Last-Modified': date(-3600) })).toBe('not-modified');
    expect(evaluate(request, { 'Last-Modified': date(-3599) })).toBe('proceed');
  });

  it('is held against Date, then the time of receipt, without Last-Modified', () => {
    expect(evaluate({ 'If-Modified-Since': date(-5) }, { Date: date(-5) })).toBe('not-modified');
    expect(evaluate({ 'If-Modified-Since': date(-6) }, { Date: date(-5) })).toBe('proceed');
    expect(evaluate({ 'If-Modified-Since': date(0) }, {})).toBe('not-modified');
    expect(evaluate({ 'If-Modified-Since': date(-1) }, {})).toBe('proceed');
  });

  it('proceeds when there is nothing to compare with', () => {
    const request = get({ 'If-Modified-Since': date(0) });
    expect(evaluatePreconditions(request, { status: 200, headers: [] })).toBe('proceed');
  });
});

describe('If-Match and If-Unmodified-Since (RFC 9110 sections 13.1.1 and 13.1.4)', () => {
  it.each([
    ['"a"', '"a"', 'proceed'],
    ['"b", "a"', '"a"', 'proceed'],
    ['*', 'W/"a"', 'proceed'],
    ['"b"', '"a"', 'precondition-failed'],
    ['W/"a"', 'W/"a"', 'precondition-failed'],
    ['"a"', 'W/"a"', 'precondition-failed'],
  ])('If-Match: %s against %s: %s', (condition, etag, expected) => {
    expect(evaluate({ 'If-Match': condition }, { ETag: etag })).toBe(expected);
  });

  it('fails If-Unmodified-Since after a modification, and ignores what is no date', () => {
    const response = { 'Last-Modified': date(-100) };
    const evaluated = (value: string) => evaluate({ 'If-Unmodified-Since': value }, response);
    expect(evaluated(date(-100))).toBe('proceed');
    expect(evaluated(date(-101))).toBe('precondition-failed');
    expect(evaluated('never')).toBe('proceed');
    expect(evaluate({ 'If-Unmodified-Since': date(-101) }, {})).toBe('proceed');
  });

  it('looks at If-Unmodified-Since only without If-Match', () => {
    const request = { 'If-Match': '"a"', 'If-Unmodified-Since': date(-101) };
    expect(evaluate(request, { ETag: '"a"', 'Last-Modified': date(-100) })).toBe('proceed');
  });

  it('goes on to If-None-Match when they hold', () => {
    const request = { 'If-Match': '"a"', 'If-None-Match': '"a"' };
    expect(evaluate(request, { ETag: '"a"' })).toBe('not-modified');
  });
});

it.each([301, 404, 503])('ignores preconditions for a %i (RFC 9110 section 13.2.1)', (status) => {
  const request = { 'If-None-Match': '"a"', 'If-Modified-Since': date(0) };
  expect(evaluate(request, { ETag: '"a"', 'Last-Modified': date(-1) }, status)).toBe('proceed');
  expect(evaluate({ 'If-Match': '"b"' }, { ETag: '"a"' }, status)).toBe('proceed');
});

describe('validators', () => {
  it('are sent byte for byte (RFC 9111 section 4.3.1)', () => {
    const odd = 'Thu, 1 Jan 1970 00:00:00 +0000';
    const headers = raw({ etag: 'W/"\xe9 x"', 'LAST-MODIFIED': odd });
    const fields = ['If-None-Match', 'W/"\xe9 x"', 'If-Modified-Since', odd];
    expect(validationFields({ headers })).toEqual(fields);
  });

  it('are none when there are none, or several', () => {
    expect(validationFields({ headers: raw({ Date: date(0), ETag: '' }) })).toEqual([]);
    expect(validationFields({ headers: raw({ ETag: ['"a"', '"b"'] }) })).toEqual([]);
  });

  it.each([
    ['"a"', '"a"'],
    ['""', '""'],
    ['W/"a"', undefined],
    ['w/"a"', undefined],
    ['a', undefined],
    ['"', undefined],
    ['"a"b"', undefined],
    ['"a b"', undefined],
    [['"a"', '"a"'], undefined],
  ] satisfies [string | string[], string | undefined][])(
    '%j is the strong tag %j',
    (ETag, expected) => {
      expect(strongEtag(raw({ ETag }))).toBe(expected);
    },
  );
});

describe('fields of a 304 (RFC 9110 section 15.4.5)', () => {
  const required: Fields = {
    'Content-Location': '/x',
    Date: date(0),
    ETag: '"a"',
    Vary: ['Accept', 'Foo'],
    'Cache-Control': 'max-age=1',
    Expires: date(1),
  };

  it('hold what they must, byte for byte, in order', () => {
    expect(notModifiedFields(raw(required))).toEqual(raw(required));
  });

  it('keep what is not representation metadata', () => {
    const others: Fields = {
      'X-A': '1',
      'Content-Security-Policy': 'x',
      'CDN-Cache-Control': 'none',
    };
    expect(notModifiedFields(raw(others))).toEqual(raw(others));
  });

  it('leave out what describes a body', () => {
    const fields = { 'content-type': 'a/b', 'Content-Length': '3', 'Content-Encoding': 'gzip' };
    expect(notModifiedFields(raw({ ...fields, 'Content-Range': 'x', 'Repr-Digest': 'x' }))).toEqual(
      [],
    );
  });

  it('hold Last-Modified only where there is no ETag', () => {
    const modified = { 'Last-Modified': date(-1) };
    expect(notModifiedFields(raw(modified))).toEqual(raw(modified));
    expect(notModifiedFields(raw({ ...modified, ETag: '"a"' }))).toEqual(['ETag', '"a"']);
  });
});
