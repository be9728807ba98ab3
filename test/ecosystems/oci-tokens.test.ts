import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ociTokens } from '../../src/ecosystems/oci-tokens.ts';

const rules = ociTokens(['tokens.example.com', '127.0.0.1:7000']);
const hub = 'https://registry-1.docker.io/v2/library/alpine/manifests/latest';
const other = 'https://registry.example.com/v2/a/b/manifests/latest';
const plain = 'http://127.0.0.1:5000/v2/a/manifests/latest';
const hex = 'ab'.repeat(32);

describe('a challenge', () => {
  it.each([
    [
      hub,
      [
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull"',
      ],
      'https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Alibrary%2Falpine%3Apull',
      false,
    ],
    [
      other,
      [
        'Basic realm="x, Bearer y"',
        'bearer  Realm = https://registry.example.com/t?a=1 , scope="a  b"',
      ],
      'https://registry.example.com/t?a=1&scope=a&scope=b',
      true,
    ],
    [
      other,
      ['Basic realm="x", Bearer realm="https://tokens.example.com/"'],
      'https://tokens.example.com/',
      true,
    ],
    [plain, ['Bearer realm="http://127.0.0.1:7000/t"'], 'http://127.0.0.1:7000/t', true],
    [plain, ['Bearer realm="http://127.0.0.1:5000/\\t"'], 'http://127.0.0.1:5000/t', true],
  ])('of %s leads to its token: %j', (url, lines, token, trusted) => {
    expect(rules.readChallenge(lines, url)).toEqual({ kind: 'token', url: token, trusted });
  });

  it.each([
    [other, 'Bearer realm="https://evil.example/token",service="x"'],
    [other, 'Bearer realm="https://auth.docker.io/token"'],
    [other, 'Bearer realm="https://registry.example.com.evil.example/token"'],
    [other, 'Bearer realm="https://registry.example.com@evil.example/token"'],
    [other, 'Bearer realm="https://registry.example.com:8443/token"'],
    [other, 'Bearer realm="http://registry.example.com/token"'],
    [other, 'Bearer realm="http://tokens.example.com/token"'],
    [other, 'Bearer realm="file:///etc/passwd"'],
    [other, 'Bearer realm="/token"'],
    [other, 'Bearer service="x"'],
    [plain, 'Bearer realm="http://169.254.169.254/latest/meta-data"'],
    [plain, 'Bearer realm="http://127.0.0.1:8081/api"'],
  ])('of %s leads nowhere that nobody allowed: %s', (url, line) => {
    expect(rules.readChallenge([line], url)).toMatchObject({ kind: 'refused' });
  });

  it.each([[[]], [['Basic realm="x"']], [['Digest realm="Bearer realm=y"']], [['']]])(
    'that is none for a token stays: %j',
    (lines) => {
      expect(rules.readChallenge(lines, other)).toEqual({ kind: 'other' });
    },
  );

  it('of whatever bytes leads to allowed hosts only', () => {
    const piece = fc.constantFrom(
      ...[
        'Bearer ',
        'realm=',
        '"',
        ',',
        '=',
        '\\',
        'https://',
        'http://',
        'evil.example',
        '@',
        '/',
      ],
      ...['registry.example.com', ':443', '#', '?', '%2f', ' ', 'tokens.example.com', 'é', '\t'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
        const answer = rules.readChallenge([`Bearer realm="https://${pieces.join('')}"`], other);
        if (answer.kind !== 'token') return;
        expect(['registry.example.com', 'tokens.example.com']).toContain(new URL(answer.url).host);
      }),
    );
  });
});

it.each([
  [hub, 'library/alpine'],
  [`https://registry.example.com/v2/a/b/blobs/sha256:${hex}`, 'a/b'],
  ['https://registry.example.com/v2/a/b/tags/list?n=1', 'a/b'],
  [`https://registry.example.com/v2/a/referrers/sha256:${hex}`, 'a'],
  [`https://registry.example.com/v2/a/blobs/blake3:${hex}`, 'a'],
  ['https://registry.example.com/v2/', ''],
  ['https://registry.example.com/v2/_catalog', ''],
  ['https://registry.example.com/token', undefined],
  ['https://registry.example.com/v2/a%2fb/manifests/x', undefined],
])('%s takes the token of %s', (url, area) => {
  expect(rules.areaOf(url)).toBe(area);
});

it.each([
  ['{"token":"abc","expires_in":300}', { value: 'abc', lifetimeMs: 300_000 }],
  ['{"access_token":"abc"}', { value: 'abc', lifetimeMs: 60_000 }],
  ['{"token":"","access_token":"x","expires_in":-1}', { value: 'x', lifetimeMs: 60_000 }],
  ['{"token":"a b"}', undefined],
  ['{"token":"a\\r\\nX: y"}', undefined],
  ['{"token":5}', undefined],
  ['null', undefined],
  ['<html>', undefined],
  ['', undefined],
])('reads the token in %s', (document, token) => {
  expect(rules.readToken(document)).toEqual(token);
});
