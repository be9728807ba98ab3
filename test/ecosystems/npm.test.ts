import { describe, expect, it } from 'vitest';
import { pathOf } from '../../src/core/canonical-url.ts';
import { createNpm } from '../../src/ecosystems/npm.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';
import { create, get, hosts, npm, npm11, registry } from './npm-fixture.ts';

const documents = [
  '/name',
  '/name/',
  '/@scope/name',
  '/@scope%2fname',
  '/@scope%2Fname',
  '/%40scope%2fname',
  '/name/1.0.0',
  '/name/latest',
  '/@scope%2fname/1.0.0-rc.1',
  '/@scope/name/next',
  '/-',
  '/name?_=1',
  '/npm',
  '/JSONStream',
];
const tarballs = [
  '/name/-/name-1.0.0.tgz',
  '/name/-/name-1.0.0.tgz?token=1',
  '/@scope/name/-/name-1.0.0.tgz',
  '/@scope/name/-/@scope/name-1.0.0.tgz',
  '/@scope%2fname/-/name-1.0.0.tgz',
  '/@scope%2Fname/-/@scope%2fname-1.0.0.tgz',
  '/-/-/--0.0.1.tgz',
  '/name/download/name-1.0.0.tgz',
  `/download/@scope/name/1.0.0/${'ab'.repeat(32)}`,
];
const endpoints = [
  '/-/ping',
  '/-/whoami',
  '/-/all',
  '/-/v1/search?text=a',
  '/-/user/org.couchdb.user:a',
  '/-/npm/v1/user',
  '/-/npm/v1/security/advisories/bulk',
  '/-/package/name/dist-tags',
  '/-/package/@scope%2fname/dist-tags',
  '/-/at/https/evil.example/a/-/a-1.0.0.tgz',
];
const suspicious = [
  '/../name',
  '/name/%2e%2e/other',
  '/name%2f1.0.0',
  '/@scope%2fname%2f..%2fx',
  '/name%00',
  '/name%0a',
  '/a%5cb',
  '/%zz',
  '/%c3%28',
  '/%252e%252e/x',
  '/name/-/..%2fx.tgz',
];
const others = ['/', '/@scope', '/name//1.0.0', '/name/a/b', '/-/npm/v1/keys'];

describeEcosystem({
  create: () => create(),
  upstreamUrl: registry,
  paths: [...documents, ...tarballs, ...endpoints, ...suspicious, ...others],
  headers: npm11,
  allowedHosts: hosts,
});

describe('npm paths', () => {
  it.each(tarballs)('keeps the tarball %s', (path) => {
    expect(npm.classify(get(path))).toMatchObject({ kind: 'artifact' });
  });

  it.each(documents)('takes %s for a document with variants', (path) => {
    expect(npm.classify(get(path))).toMatchObject({
      kind: 'index',
      freshness: 'rfc9111',
      vary: ['accept', 'accept-encoding'],
      ownEtag: true,
    });
  });

  it.each(endpoints)('passes the endpoint %s through', (path) => {
    expect(npm.classify(get(path))).toMatchObject({
      kind: 'passthrough',
      reason: expect.any(String),
    });
  });

  it.each(suspicious)('passes the suspicious path %s through, with a reason', (path) => {
    expect(npm.classify(get(path))).toEqual({
      kind: 'passthrough',
      reason: 'the path is not one of the registry protocol',
    });
  });

  it.each([...others, '/-/npm/v1/attestations/@scope%2fname@1.0.0'])(
    'leaves %s to the response',
    (path) => {
      expect(npm.classify(get(path))).toEqual({ kind: 'index', freshness: 'rfc9111' });
    },
  );

  it.each([
    ['/@scope/name', '/@scope%2fname'],
    ['/@scope%2Fname', '/@scope%2fname'],
    ['/@scope%2Fname?write=true', '/@scope%2fname?write=true'],
    ['/@scope%2Fname/1.0.0', '/@scope%2fname/1.0.0'],
    ['/@scope%2fname/-/name-1.0.0.tgz?x=%2F', '/@scope/name/-/name-1.0.0.tgz?x=%2F'],
    ['/@scope%2Fname/-/@scope%2fname-1.0.0.tgz', '/@scope/name/-/@scope%2fname-1.0.0.tgz'],
  ])('%s is the same as %s', (path, same) => {
    expect(npm.spelling?.(path)).toBe(same);
    expect(npm.spelling?.(same)).toBeUndefined();
  });

  it.each(['/name', '/@scope', '/@scope/name/1.0.0', '/-/ping', '/@scope/name%2fx', '/a/@b/c'])(
    '%s has no other spelling',
    (path) => {
      expect(npm.spelling?.(path)).toBeUndefined();
    },
  );

  it('knows which documents a write changes', () => {
    const changed = (path: string) =>
      npm.changedBy?.({ ...get(path), method: 'PUT' }).map((url) => pathOf(url));
    expect(changed('/-/package/name/dist-tags/beta')).toEqual(['/name', '/name/latest']);
    expect(changed('/name/-rev/1-a')).toEqual(['/name', '/name/latest']);
    expect(changed('/name/-/name-1.0.0.tgz/-rev/1-a')).toEqual([
      '/name',
      '/name/latest',
      '/name/-/name-1.0.0.tgz',
    ]);
    expect(changed('/@scope/name')).toContain('/@scope%2fname');
    for (const path of ['/-/npm/v1/user', '/-/user/org.couchdb.user:a', '/name/other', '/']) {
      expect(changed(path)).toEqual([]);
    }
  });

  it('passes a document through that is fetched to be edited', () => {
    expect(npm.classify(get('/name?write=true')).kind).toBe('passthrough');
  });

  it('keeps tarballs on other hosts, and nothing else there', () => {
    const foreign = (url: string) => npm.classify({ ...get('/x'), url, path: pathOf(url) });
    expect(foreign('https://files.test/a-1.0.0.tgz')).toEqual({ kind: 'artifact' });
    expect(foreign('https://files.test/a/-/a.tgz')).toEqual({ kind: 'artifact' });
    expect(foreign('https://files.test/latest.tgz').kind).toBe('index');
    expect(foreign('https://files.test/index.html').kind).toBe('index');
  });

  it('knows its hosts for the forward proxy', () => {
    expect(npm.hosts).toEqual(['registry.test', ...hosts]);
  });
});

it('refuses a canonical registry that is not a URL', () => {
  expect(() => createNpm({ canonicalRegistry: 'registry', tarballs: 'auto', hosts: [] })).toThrow(
    expect.objectContaining({ code: 'proxy_configuration_error' }),
  );
});
