import { expect, it } from 'vitest';
import type { RawHeaders } from '../../src/core/raw-headers.ts';
import { createOci } from '../../src/ecosystems/oci.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://registry-1.docker.io/v2';
const create = () => createOci({ hosts: ['tokens.example.com'] });
const oci = create();

const hex = 'ab'.repeat(32);
const long = 'cd'.repeat(64);
const artifact = (algorithm: string, text: string) => ({
  kind: 'artifact',
  digest: { algorithm, hex: text },
  digestField: 'docker-content-digest',
});
const tag = {
  kind: 'index',
  freshness: 'validate',
  vary: ['accept'],
  digestField: 'docker-content-digest',
  validateByHead: true,
  wholeForHead: true,
  staleIfThrottled: true,
};
const list = { kind: 'index', freshness: 'validate', staleIfThrottled: true };
const foreign = { kind: 'index', freshness: 'validate', unshared: expect.any(String) };
const table = [
  [`/library/alpine/blobs/sha256:${hex}`, artifact('sha256', hex)],
  [`/library/alpine/blobs/sha512:${long}`, artifact('sha512', long)],
  [`/library/alpine/manifests/sha256:${hex}`, artifact('sha256', hex)],
  [`/a/manifests/b/manifests/sha256:${hex}`, artifact('sha256', hex)],
  [`/a/v2/b/blobs/sha256:${hex}`, artifact('sha256', hex)],
  ['/library/alpine/manifests/latest', tag],
  ['/library/alpine/manifests/3.20_1-x.Y', tag],
  ['/a__b/c-d/e.f/manifests/v1', tag],
  ['/library/alpine/tags/list', list],
  ['/library/alpine/tags/list?n=10&last=3.20', list],
  [`/library/alpine/referrers/sha256:${hex}`, list],
  [`/library/alpine/referrers/sha256:${hex}?artifactType=x`, list],
  ['/_catalog?n=5', list],
  // What nobody here can check is the registry's to say, each time and for one client.
  [`/library/alpine/blobs/blake3:${hex}`, foreign],
  [`/library/alpine/blobs/sha256:${hex.toUpperCase()}`, foreign],
  [`/library/alpine/blobs/sha256:${hex}0`, foreign],
  [`/library/alpine/blobs/sha384:${'ef'.repeat(48)}`, foreign],
  [`/library/alpine/blobs/md5:${'ab'.repeat(16)}`, foreign],
  [`/library/alpine/manifests/sha1:${'ab'.repeat(20)}`, foreign],
  ['/library/alpine/blobs/latest', foreign],
  ['/library/alpine/blobs/uploads/9', foreign],
  ['/library/alpine/tags/other', foreign],
  ['/Library/alpine/manifests/latest', foreign],
  ['/library//alpine/manifests/latest', foreign],
  ['/library/alpine/manifests/-x', foreign],
  [`/library/alpine/manifests/${'x'.repeat(129)}`, foreign],
  [`/${'x'.repeat(513)}/manifests/latest`, foreign],
  [`/library%2falpine/blobs/sha256:${hex}`, foreign],
  [`/library/..%2fother/blobs/sha256:${hex}`, foreign],
  [`/library\\alpine/blobs/sha256:${hex}`, foreign],
  ['/auth?service=x', foreign],
  ['/', list],
  ['', list],
] as const;

describeEcosystem({ create, upstreamUrl, paths: table.map(([path]) => path) });

function judged(path: string, headers: RawHeaders = []) {
  return oci.classify({ method: 'GET', url: upstreamUrl + path, path, headers });
}

it.each(table)('oci judges %s', (path, expected) => {
  const { requestHeaders: _fields, ...answer } = judged(path) as { requestHeaders?: RawHeaders };
  expect(answer).toEqual(expected);
});

it('what a client may see by its own credentials is its own', () => {
  for (const [path] of table) {
    expect(judged(path, ['Authorization', 'Bearer x'])).toHaveProperty('unshared');
  }
});

it('clients that take the same manifests get the same variant, in whatever order they say it', () => {
  const fields = (...accept: string[]) => {
    const headers = accept.flatMap((value) => ['Accept', value]);
    return judged('/a/b/manifests/latest', headers);
  };
  const one = fields('application/a, Application/B', 'application/c');
  expect(one).toEqual(fields('application/c', 'application/b,application/a', 'application/a'));
  expect(one).toMatchObject({
    requestHeaders: [
      'Accept-Encoding',
      'identity',
      'Accept',
      'application/a, application/b, application/c',
    ],
  });
  expect(fields('application/a;q=0.5, application/b')).toMatchObject({
    requestHeaders: ['Accept', 'application/a;q=0.5, application/b', 'Accept-Encoding', 'identity'],
  });
});

it('a manifest by its digest is asked for in every form, whatever the client takes', () => {
  const answer = judged(`/a/b/manifests/sha256:${hex}`, ['Accept', 'application/x']);
  expect(answer).toMatchObject({
    requestHeaders: [
      'Accept-Encoding',
      'identity',
      'Accept',
      expect.stringMatching(/oci\.image\.index.*manifest\.v2\+json, application\/x$/),
    ],
  });
});

it.each([
  ['/alpine/manifests/latest', '/library/alpine/manifests/latest'],
  [`/alpine/blobs/sha256:${hex}`, `/library/alpine/blobs/sha256:${hex}`],
  ['/library/alpine/manifests/latest', undefined],
  ['/alpine/other', undefined],
  ['/', undefined],
])('a name without a namespace is an official image of Docker Hub: %s', (path, expected) => {
  expect(oci.resolve?.(path, upstreamUrl)).toBe(expected && upstreamUrl + expected);
  expect(oci.resolve?.(path, 'https://registry.example.com/v2')).toBeUndefined();
});

it.each([
  ['/v2/a/b/manifests/x?ns=docker.io', 'docker.io', '/v2/a/b/manifests/x'],
  ['/v2/a/tags/list?n=5&ns=r.test%3A5000&x=1', 'r.test:5000', '/v2/a/tags/list?n=5&x=1'],
  ['/v2/?ns=GHCR.io', 'ghcr.io', '/v2/'],
  // Twice is no name at all.
  ['/v2/a/manifests/x?ns=a.test&ns=b.test', '', '/v2/a/manifests/x'],
])('%s names its registry', (target, name, rest) => {
  expect(oci.addressed?.(target)).toEqual({ name, root: '/v2', target: rest });
});

it.each(['/v2/a/manifests/x', '/v2/a/manifests/x?n=1', '/npm/x?ns=docker.io', '/v2/a?xns=b'])(
  '%s names no registry',
  (target) => {
    expect(oci.addressed?.(target)).toBeUndefined();
  },
);

it('Docker Hub goes by several names, other registries by their host', () => {
  expect(oci.namesOf?.(upstreamUrl)).toEqual([
    'docker.io',
    'index.docker.io',
    'registry-1.docker.io',
  ]);
  expect(oci.namesOf?.('http://127.0.0.1:5000/v2')).toEqual(['127.0.0.1:5000']);
});

it.each([
  ['GET', '/', 200],
  ['HEAD', '/', 200],
  ['GET', '/v2/', 200],
  ['POST', '/a/b/blobs/uploads/', 405],
  ['PUT', '/a/b/manifests/latest', 405],
  ['DELETE', `/a/b/manifests/sha256:${hex}`, 405],
  ['GET', `/a%2fb/blobs/sha256:${hex}`, 400],
  ['GET', `/a\\b/blobs/sha256:${hex}`, 400],
  ['GET', '/a/b/manifests/latest', undefined],
])('%s %s: the gateway itself says %s', (method, path, status) => {
  expect(oci.answer?.({ method, path, upstreamUrl })?.status).toBe(status);
});

it.each([
  ['/v2', true],
  ['/v2/', true],
  ['/v2/a/manifests/x', false],
  ['/v20/', false],
])('claims %s: %s', (path, expected) => {
  expect(oci.claims?.(path)).toBe(expected);
});

it('recognises on the forward proxy what only a registry has', () => {
  const recognised = (path: string) =>
    oci.recognises?.({ method: 'GET', url: `http://registry.test${path}`, path, headers: [] });
  expect(recognised(`/v2/a/b/blobs/sha256:${hex}`)).toBe(true);
  expect(recognised('/v2/a/b/manifests/latest')).toBe(true);
  expect(recognised('/v2/')).toBe(false);
  expect(recognised('/api/v2/things')).toBe(false);
});
