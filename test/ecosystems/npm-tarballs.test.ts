import { describe, expect, it } from 'vitest';
import { createNpm } from '../../src/ecosystems/npm.ts';
import {
  create,
  get,
  mirror,
  npm,
  npm11,
  publicBase,
  registry,
  rewriteOf,
  rewritten,
  throughMount,
  yarn,
} from './npm-fixture.ts';

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
    ['https://files.test:8443/a-1.tgz#x', '/-/at/https/files.test:8443/a-1.tgz#x'],
  ])('maps %s', (url, served) => {
    const answer = throughMount(yarn, { upstreamUrl: mirror });
    expect(rewritten(answer, url)).toBe(publicBase + served);
    if (served.startsWith('/-/at/')) {
      const target = npm.resolve?.(served.replace(/#.*/, ''), mirror) ?? '';
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
