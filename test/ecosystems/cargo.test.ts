import { describe, expect, it } from 'vitest';
import type { ClassifyRequest } from '../../src/core/classification.ts';
import { createCargo } from '../../src/ecosystems/cargo.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://index.crates.io';
const publicBase = 'https://cache.example.com/cargo';
const hosts = ['crates.test:8443'];
const cargo = createCargo({ hosts, authorized: false });

const indexes = ['/1/a', '/2/ab', '/3/a/abc', '/se/rd/serde', '/my/_c/my_crate-x'];
const crates = [
  '/crates/serde/1.0.0/download',
  '/crates/serde/serde-1.0.0.crate',
  '/api/v1/crates/my_crate-x/0.1.0-rc.1%2Bbuild/download',
];
const others = [
  '/',
  '/SE/rd/serde',
  '/se/rd/other',
  '/crates/serde/latest/download',
  '/serde.crate',
];

describeEcosystem({
  create: () => createCargo({ hosts, authorized: false }),
  upstreamUrl,
  paths: ['/config.json', ...indexes, ...crates, ...others, '/api/v1/crates?q=a'],
  headers: ['Accept-Encoding', 'gzip'],
  allowedHosts: [...hosts, 'static.crates.io'],
});

function get(path: string, url = upstreamUrl + path): ClassifyRequest {
  return { method: 'GET', url, path, headers: [], upstreamUrl, publicBase };
}

function rewritten(config: string, ecosystem = cargo): string {
  const answer = ecosystem.classify(get('/config.json'));
  if (answer.kind !== 'index' || !answer.rewrite) throw new Error('there is no rewrite');
  const rewriter = answer.rewrite.create();
  const pieces = [...config].flatMap((char) => rewriter.push(Buffer.from(char)));
  return Buffer.concat([...pieces, ...rewriter.end()]).toString();
}

function digestIn(lines: string, path: string, step = 1e6): unknown {
  const answer = cargo.classify(get(path));
  const finder = answer.kind === 'artifact' ? answer.digestFrom?.find() : undefined;
  const bytes = Buffer.from(lines);
  for (let at = 0; at < bytes.length; at += step) {
    if (finder?.push(bytes.subarray(at, at + step))) break;
  }
  return finder?.digest();
}

describe('cargo paths', () => {
  it.each(indexes)('takes %s for the index of a crate', (path) => {
    expect(cargo.classify(get(path))).toMatchObject({
      kind: 'index',
      freshness: 'rfc9111',
      vary: ['accept-encoding'],
    });
  });

  it.each([
    [crates[0], '/se/rd/serde'],
    [crates[1], '/se/rd/serde'],
    [crates[2], '/my/_c/my_crate-x'],
    ['/crates/ABC/1.0.0/download', '/3/a/abc'],
  ])('keeps %s, whose checksum is in %s', (path = '', index) => {
    expect(cargo.classify(get(path))).toMatchObject({
      kind: 'artifact',
      digestFrom: { urls: [upstreamUrl + index] },
    });
  });

  it.each(others)('leaves %s to the response', (path) => {
    expect(cargo.classify(get(path))).toEqual({ kind: 'index', freshness: 'rfc9111' });
  });

  it('passes the web API through', () => {
    expect(cargo.classify(get('/api/v1/crates?q=serde')).kind).toBe('passthrough');
  });

  it('takes crates from allowed hosts, and nothing else there', () => {
    const resolve = (path: string) => cargo.resolve?.(path, upstreamUrl);
    const crate = 'https://crates.test:8443/dl/serde/1.0.0/download';
    expect(resolve('/-/at/https/crates.test:8443/dl/serde/1.0.0/download')).toBe(crate);
    expect(cargo.classify(get('/x', crate))).toMatchObject({
      kind: 'artifact',
      digestFrom: { urls: [`${upstreamUrl}/se/rd/serde`] },
    });
    expect(resolve('/-/at/https/crates.test:8443/secret')).toBeUndefined();
    expect(resolve('/-/at/https/evil.example/serde/1.0.0/download')).toBeUndefined();
    expect(cargo.classify(get('/x', 'https://crates.test:8443/se/rd/serde'))).toEqual({
      kind: 'index',
      freshness: 'rfc9111',
    });
  });
});

describe('the configuration of an index', () => {
  it.each([
    ['https://static.crates.io/crates', `${publicBase}/-/at/https/static.crates.io/crates`],
    [
      `${upstreamUrl}/dl/{crate}/{version}/{sha256-checksum}.crate`,
      `${publicBase}/dl/{crate}/{version}/{sha256-checksum}.crate`,
    ],
    ['https://elsewhere.test/dl', 'https://elsewhere.test/dl'],
    ['https://{crate}.crates.test/dl', 'https://{crate}.crates.test/dl'],
    ['http://127.0.0.1/dl', 'http://127.0.0.1/dl'],
  ])('leads from %s to %s', (dl, served) => {
    const config = { dl, api: 'https://crates.io', 'auth-required': true, more: [1, { x: null }] };
    expect(JSON.parse(rewritten(JSON.stringify(config)))).toEqual({ ...config, dl: served });
  });

  it('leads to the gateway for the web API where that is the index’s own', () => {
    const api = (url: string) => JSON.parse(rewritten(JSON.stringify({ api: url })));
    expect(api(upstreamUrl)).toEqual({ api: publicBase });
    expect(api(`${upstreamUrl}/registry/`)).toEqual({ api: `${publicBase}/registry` });
  });

  it('asks no client for a token where the gateway has credentials of its own', () => {
    const authorized = createCargo({ hosts: [], authorized: true });
    expect(JSON.parse(rewritten('{"dl":"x","auth-required":true}', authorized))).toEqual({
      dl: 'x',
    });
  });

  it.each(['', 'not JSON', '[1]', `{"dl":"${'x'.repeat(70_000)}"}`])(
    'goes through as it is where it is none',
    (text) => {
      expect(rewritten(text)).toBe(text);
    },
  );
});

describe('the checksum of a crate', () => {
  const line = (vers: string, cksum: unknown) =>
    JSON.stringify({ name: 'serde', vers, deps: [{ req: '^1.0.0', name: '"1.0.1"' }], cksum });
  const hex = (letter: string) => letter.repeat(64);
  const lines = [line('1.0.0', hex('a')), line('1.0.1', hex('b')), line('1.0.2', 'short')].join(
    '\n',
  );

  it('is that of its version’s line', () => {
    for (const step of [1, 7, 64, 1e6]) {
      expect(digestIn(lines, '/crates/serde/1.0.1/download', step)).toEqual({
        algorithm: 'sha256',
        hex: hex('b'),
      });
    }
    expect(digestIn(line('1.0.0', hex('c')), '/crates/serde/1.0.0/download')).toMatchObject({
      hex: hex('c'),
    });
  });

  it('is unknown where there is no such line, or it cannot be read', () => {
    expect(digestIn(lines, '/crates/serde/1.0.2/download')).toBeUndefined();
    expect(digestIn(lines, '/crates/serde/1.0.3/download')).toBeUndefined();
    expect(digestIn('{"vers":"1.0.0"\n', '/crates/serde/1.0.0/download')).toBeUndefined();
    const long = `{"x":"${'x'.repeat(2_000_000)}","vers":"1.0.0","cksum":"${hex('a')}"}\n`;
    expect(digestIn(long, '/crates/serde/1.0.0/download', 65_536)).toBeUndefined();
    expect(digestIn(long + lines, '/crates/serde/1.0.1/download', 65_536)).toMatchObject({
      hex: hex('b'),
    });
  });
});
