import { describe, expect, it } from 'vitest';
import { pathOf } from '../../src/core/canonical-url.ts';
import type { Classification, ClassifyRequest, Rewrite } from '../../src/core/classification.ts';
import { fieldValue } from '../../src/core/raw-headers.ts';
import { createNpm, type TarballMode } from '../../src/ecosystems/npm.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const registry = 'https://registry.test';
const mirror = 'https://mirror.test/npm';
const publicBase = 'http://cache.example.com/npm';
const npm11 = ['User-Agent', 'npm/11.19.1 node/v26.10.0 linux x64 workspaces/false'];
const yarn = ['User-Agent', 'yarn/1.22.22 npm/? node/v22.0.0 linux x64'];
const hosts = ['files.test', 'files.test:8443'];

const npm = create();

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
    expect(npm.classify(get(path))).toEqual({ kind: 'artifact' });
  });

  it.each(documents)('takes %s for a document with variants', (path) => {
    expect(npm.classify(get(path))).toMatchObject({
      kind: 'index',
      freshness: 'rfc9111',
      vary: ['accept', 'accept-encoding'],
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

describe('npm negotiation', () => {
  const short = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';
  it.each([
    [short, short],
    ['application/vnd.npm.install-v1+json,application/json', short],
    ['application/vnd.npm.install-v1+json; q=1.0, */*; q=0.1', short],
    ['application/json', 'application/json'],
    ['application/json, application/vnd.npm.install-v1+json; q=0.5', 'application/json'],
    ['*/*', 'application/json'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'application/json'],
    [undefined, 'application/json'],
    // What only one of the two satisfies stays the client's own.
    ['application/vnd.npm.install-v1+json', 'application/vnd.npm.install-v1+json'],
    ['text/html', 'text/html'],
    ['application/vnd.npm.formatted+json, */*', 'application/vnd.npm.formatted+json, */*'],
    ['application/json; profile="a,b"', 'application/json; profile="a,b"'],
    ['application/json; q=nonsense', 'application/json; q=nonsense'],
  ])('makes Accept: %s into %s', (given, asked) => {
    expect(askedFor('Accept', given, 'accept')).toBe(asked);
  });

  it.each([
    ['gzip,deflate', 'gzip'],
    ['gzip, deflate, br, zstd', 'gzip'],
    ['*', 'gzip'],
    ['br', 'identity'],
    ['gzip;q=0', 'identity'],
    ['', 'identity'],
    [undefined, 'identity'],
    ['br, identity;q=0', 'br, identity;q=0'],
    ['gzip, *;q=0', 'gzip, *;q=0'],
  ])('makes Accept-Encoding: %s into %s', (given, asked) => {
    expect(askedFor('Accept-Encoding', given, 'accept-encoding')).toBe(asked);
  });

  it('keeps every other field, and the very list when nothing changes', () => {
    const accept = ['Accept', 'application/json', 'Accept-Encoding', 'gzip'];
    const others = ['Authorization', 'Bearer a', 'If-None-Match', '"x"', 'X-A', '1', 'x-a', '2'];
    expect(npm.classify(get('/name', [...accept, ...others]))).not.toHaveProperty('requestHeaders');
    const changed = npm.classify(get('/name', [...others, 'accept', '*/*']));
    expect(changed).toMatchObject({
      requestHeaders: [...others, 'Accept', 'application/json', 'Accept-Encoding', 'identity'],
    });
  });
});

describe('npm tarball URLs', () => {
  it('stay canonical for an npm that swaps the host, and Vary says why', () => {
    const answer = throughMount(npm11);
    expect(answer).not.toHaveProperty('rewrite');
    expect(answer).toMatchObject({ servedVary: ['user-agent', 'npm-command'] });
  });

  it.each([
    ['yarn', yarn],
    ['pnpm', ['User-Agent', 'pnpm/10.0.0 npm/? node/v22.0.0 linux x64']],
    ['bun', ['User-Agent', 'Bun/1.3.0']],
    ['npm 6', ['User-Agent', 'npm/6.14.18 node/v14.21.3 linux x64']],
    ['nobody in particular', []],
  ])('are rewritten for %s', (_name, headers) => {
    const answer = throughMount(headers);
    expect(answer).toMatchObject({ servedVary: ['user-agent', 'npm-command'] });
    expect(rewritten(answer, `${registry}/a/-/a-1.0.0.tgz`)).toBe(`${publicBase}/a/-/a-1.0.0.tgz`);
  });

  // Each was tried with that npm and a registry of that URL.
  it.each([
    ['8.19.4', 'install', '/alpha', 'http://c.example/npm', 'canonical'],
    ['8.19.4', 'install', '/npm', 'http://c.example/npm', 'canonical'],
    ['10.9.4', 'install', '/npm-beta', 'http://c.example/npm', 'canonical'],
    ['10.9.4', 'ci', '/alpha', 'http://c.example/npm', 'rewrite'],
    ['10.9.4', 'pack', '/alpha', 'http://c.example/npm', 'rewrite'],
    ['11.3.0', 'install', '/alpha', 'http://c.example/npm', 'rewrite'],
    ['11.3.0', 'install', '/alpha', 'http://c.example', 'rewrite'],
    ['11.3.0', 'install', '/alpha', 'https://c.example/npm', 'rewrite'],
    ['11.3.0', 'install', '/alpha', 'https://c.example', 'canonical'],
    ['11.5.2', 'install', '/alpha', 'http://c.example/npm', 'rewrite'],
    ['11.5.2', 'install', '/alpha', 'https://c.example/npm', 'canonical'],
    ['11.6.0', 'install', '/alpha', 'http://c.example/npm', 'canonical'],
    ['11.6.2', 'install', '/npm-beta', 'http://c.example/npm', 'rewrite'],
    ['11.6.2', 'install', '/npm', 'http://c.example/npm', 'canonical'],
    ['11.6.4', 'install', '/npm-beta', 'http://c.example/npm', 'canonical'],
    ['11.19.1', 'install', '/@sc%2fgamma', 'http://c.example/npm', 'canonical'],
    ['11.19.1', 'install', '/@npm%2fgamma', 'http://c.example/@npm', 'rewrite'],
    ['11.19.1', 'install', '/npm', 'http://c.example/npm', 'canonical'],
    ['11.19.1', 'ci', '/alpha', 'http://c.example/npm', 'rewrite'],
    ['11.19.1', 'ci', '/alpha', 'http://c.example', 'canonical'],
    ['11.19.1', undefined, '/alpha', 'http://c.example/npm', 'canonical'],
  ])('npm %s %s of %s at %s: %s', (version, command, path, base, expected) => {
    const headers = ['User-Agent', `npm/${version} node/v24.0.0 linux x64`];
    if (command !== undefined) headers.push('npm-command', command);
    const answer = npm.classify({ ...get(path, headers), upstreamUrl: registry, publicBase: base });
    expect('rewrite' in answer ? 'rewrite' : 'canonical').toBe(expected);
  });

  it.each(['https://registry.test', 'http://registry.test'])(
    'stay canonical at %s, for npm asks for the host alone',
    (upstreamUrl) => {
      const url = `${upstreamUrl}/a`;
      const request = { ...get('/a', npm11), url, upstreamUrl, publicBase };
      expect(npm.classify(request)).not.toHaveProperty('rewrite');
    },
  );

  it("are rewritten for every npm where they carry a mirror's host", () => {
    const answer = throughMount(npm11, { upstreamUrl: mirror });
    expect(answer).not.toHaveProperty('servedVary');
    expect(rewritten(answer, `${mirror}/a/-/a-1.0.0.tgz`)).toBe(`${publicBase}/a/-/a-1.0.0.tgz`);
  });

  it.each([
    ['canonical', yarn, false],
    ['rewrite', npm11, true],
  ] as const)('are as forced by "%s", whoever asks', (mode, headers, rewrites) => {
    const answer = throughMount(headers, { npm: create(mode) });
    expect('rewrite' in answer).toBe(rewrites);
    expect(answer).not.toHaveProperty('servedVary');
  });

  it.each(['auto', 'rewrite'] as const)('are left alone on the forward proxy with "%s"', (mode) => {
    const answer = create(mode).classify({ ...get('/name', yarn), upstreamUrl: registry });
    expect(answer).not.toHaveProperty('rewrite');
    expect(answer).not.toHaveProperty('servedVary');
  });

  it('tell rewrites of different bases, upstreams and hosts apart by id', () => {
    const ids = [
      throughMount(yarn),
      throughMount(yarn, { publicBase: 'https://cache.example.com/npm' }),
      throughMount(yarn, { upstreamUrl: mirror }),
      throughMount(yarn, {
        npm: createNpm({ canonicalRegistry: registry, tarballs: 'auto', hosts: [] }),
      }),
    ].map((answer) => rewriteOf(answer).id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('npm tarballs on other hosts', () => {
  it.each([
    ['https://mirror.test/npm/a/-/a-1.0.0.tgz', '/a/-/a-1.0.0.tgz'],
    ['http://mirror.test/npm/a/-/a-1.0.0.tgz', '/a/-/a-1.0.0.tgz'],
    ['HTTPS://Mirror.test:443/npm/@s/a/-/a-1.0.0.tgz?x=1', '/@s/a/-/a-1.0.0.tgz?x=1'],
    ['https://mirror.test/npm-files/a-1.0.0.tgz', '/-/at/https/mirror.test/npm-files/a-1.0.0.tgz'],
    ['http://files.test/a/-/a-1.0.0.tgz', '/-/at/http/files.test/a/-/a-1.0.0.tgz'],
    ['https://files.test:8443/a-1.tgz#x', '/-/at/https/files.test:8443/a-1.tgz'],
  ])('maps %s', (url, served) => {
    const answer = throughMount(yarn, { upstreamUrl: mirror });
    expect(rewritten(answer, url)).toBe(publicBase + served);
    if (served.startsWith('/-/at/')) {
      const target = npm.resolve?.(served, mirror) ?? '';
      expect(target).toBe(url.replace(/#.*/, ''));
      const request = { ...get('/x'), url: target, path: served, upstreamUrl: mirror, publicBase };
      expect(npm.classify(request)).toEqual({ kind: 'artifact' });
    }
  });

  it.each([
    'https://other.example/a/-/a-1.0.0.tgz',
    'https://files.test:9/a-1.0.0.tgz',
    'https://user@files.test/a-1.0.0.tgz',
    'https://mirror.test@evil.example/npm/a-1.0.0.tgz',
    'https://mirror.test/npm/../admin/a-1.0.0.tgz',
    'https://mirror.test/npm/%2e%2e/a-1.0.0.tgz',
    'https://mirror.test\\npm/a-1.0.0.tgz',
    'https://mirror.test/admin/users',
    'https://files.test/page.html',
    'ftp://files.test/a-1.0.0.tgz',
    'git+https://files.test/a-1.0.0.tgz',
    '/a/-/a-1.0.0.tgz',
    '',
  ])('leaves %s alone', (url) => {
    expect(rewritten(throughMount(yarn, { upstreamUrl: mirror }), url)).toBe(url);
  });

  it.each([
    '/-/at/https/evil.example/a/-/a-1.0.0.tgz',
    '/-/at/https/files.test@evil.example/a-1.0.0.tgz',
    '/-/at/https/FILES.test/a-1.0.0.tgz',
    '/-/at/https/files.test:443/a-1.0.0.tgz',
    '/-/at/https/files.test/../a-1.0.0.tgz',
    '/-/at/https/mirror.test/api/users',
    '/-/at/file/files.test/a-1.0.0.tgz',
    '/-/at/https/',
    '/a/-/a-1.0.0.tgz',
  ])('does not resolve %s', (path) => {
    expect(npm.resolve?.(path, mirror)).toBeUndefined();
  });

  it('keeps the query of a resolved tarball', () => {
    expect(npm.resolve?.('/-/at/https/files.test/a-1.0.0.tgz?sig=a%2Fb', mirror)).toBe(
      'https://files.test/a-1.0.0.tgz?sig=a%2Fb',
    );
  });

  it('understands the path that npm makes of its own tarball below /npm', () => {
    expect(npm.resolve?.('/-/npm-11.0.0-pre.1.tgz', mirror)).toBe(
      `${mirror}/npm/-/npm-11.0.0-pre.1.tgz`,
    );
    expect(npm.resolve?.('/-/ping', mirror)).toBeUndefined();
  });

  it('claims the tarballs that npm asks for without the path of the mount', () => {
    expect(npm.claims?.('/alpha/-/alpha-1.0.0.tgz')).toBe(true);
    expect(npm.claims?.('/@scope/name/-/name-1.0.0.tgz')).toBe(true);
    for (const path of ['/', '/alpha', '/files/a/b.tgz', '/-/ping', '/../a/-/a-1.0.0.tgz']) {
      expect(npm.claims?.(path)).toBe(false);
    }
  });
});

it('refuses a canonical registry that is not a URL', () => {
  expect(() => createNpm({ canonicalRegistry: 'registry', tarballs: 'auto', hosts: [] })).toThrow(
    expect.objectContaining({ code: 'proxy_configuration_error' }),
  );
});

function create(mode: TarballMode = 'auto') {
  return createNpm({ canonicalRegistry: `${registry}/`, tarballs: mode, hosts });
}

function get(path: string, headers: readonly string[] = []): ClassifyRequest {
  return { method: 'GET', url: registry + path, path, headers };
}

function throughMount(
  headers: readonly string[],
  settings: { npm?: ReturnType<typeof create>; upstreamUrl?: string; publicBase?: string } = {},
): Classification {
  const upstreamUrl = settings.upstreamUrl ?? registry;
  return (settings.npm ?? npm).classify({
    ...get('/name', headers),
    url: `${upstreamUrl}/name`,
    upstreamUrl,
    publicBase: settings.publicBase ?? publicBase,
  });
}

function askedFor(name: string, value: string | undefined, field: string): string | undefined {
  const headers = value === undefined ? [] : [name, value];
  const answer = npm.classify(get('/name', headers));
  const asked = answer.kind === 'index' ? answer.requestHeaders : undefined;
  return fieldValue(asked ?? headers, field);
}

function rewriteOf(answer: Classification): Rewrite {
  if (answer.kind !== 'index' || !answer.rewrite) throw new Error('there is no rewrite');
  return answer.rewrite;
}

/** The tarball's URL after the rewriting, in a packument that must not change otherwise. */
function rewritten(answer: Classification, tarball: string): unknown {
  const packument = (url: string) => ({
    name: 'a',
    tarball: url,
    versions: { '1.0.0': { dist: { shasum: 'x', tarball: url }, dependencies: { tarball: '1' } } },
  });
  const rewriter = rewriteOf(answer).create();
  const input = Buffer.from(JSON.stringify(packument(tarball)));
  const output: ReturnType<typeof packument> = JSON.parse(
    Buffer.concat([...rewriter.push(input), ...rewriter.end()]).toString(),
  );
  const served = output.versions['1.0.0'].dist.tarball;
  const expected = packument(tarball);
  expected.versions['1.0.0'].dist.tarball = served;
  expect(output).toEqual(expected);
  return served;
}
