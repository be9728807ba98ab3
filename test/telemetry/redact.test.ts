import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactText, redactValue } from '../../src/telemetry/redact.ts';

test.each([
  ['http://user:pass@example.com/a', 'http://***@example.com/a'],
  ['http://token@example.com/a', 'http://***@example.com/a'],
  ['http://u:p@ss@example.com/', 'http://***@example.com/'],
  [
    'from http://a:b@x.test/ to http://c:d@y.test/',
    'from http://***@x.test/ to http://***@y.test/',
  ],
  ['/files/a?token=abc&b=2', '/files/a?token=***&b=2'],
  ['/a?b=2&X-Amz-Signature=abc#f', '/a?b=2&X-Amz-Signature=***#f'],
  ['/a?X-Amz-Credential=a%2Fb', '/a?X-Amz-Credential=***'],
  ['/a?api_key=abc;apikey=def', '/a?api_key=***;apikey=***'],
  ['/a?token=ab;cd&v=1', '/a?token=***&v=1'],
  ['/a?sig=abc&password=&PRIVATE-TOKEN=x', '/a?sig=***&password=***&PRIVATE-TOKEN=***'],
  ['/a?t%6Fken=abc', '/a?t%6Fken=***'],
  ['sent Authorization: Bearer abc', 'sent Authorization: ***'],
  ['{"authorization":"Basic dTpw"}', '{"authorization":"***"}'],
  ['cookie=a; b=c', 'cookie=***'],
  ['with Bearer eyJhbGciOi.x here', 'with Bearer *** here'],
])('%s becomes %s', (text, expected) => {
  expect(redactText(text)).toBe(expected);
});

test.each([
  '/npm/@babel/core',
  '/a?design=1&v=2&time=%zz',
  '/debian/pool/main/g/g++/g++_1.0.deb?x=y@z',
  'Basic authentication is not understood',
  'http://example.com/@scope/name',
])('%s is left as it is', (text) => {
  expect(redactText(text)).toBe(text);
});

test('values of secret fields are hidden whatever their case, absent ones stay absent', () => {
  expect(redactValue({ Authorization: 'x', 'Set-Cookie': ['a'], token: undefined, n: 0 })).toEqual({
    Authorization: '***',
    'Set-Cookie': '***',
    n: 0,
  });
  expect(redactValue(['Accept', 'a', 'Millrace-Debug', 'x'])).toEqual([
    'Accept',
    'a',
    'Millrace-Debug',
    '***',
  ]);
});

test('what refers to itself ends', () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  expect(JSON.stringify(redactValue(loop))).toContain('…');
});

test('property: a secret in userinfo or in a token parameter never comes out', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9._~-]{8,40}$/).map((text) => `S3${text}`);
  fc.assert(
    fc.property(
      secret,
      fc.webPath(),
      fc.constantFrom('token', 'Api-Key', 'x_password'),
      (s, path, name) => {
        const text = redactText(`http://me:${s}@example.com${path}?a=b&${name}=${s}`);
        return !text.includes(s);
      },
    ),
  );
});
