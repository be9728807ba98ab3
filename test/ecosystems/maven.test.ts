import { describe, expect, it } from 'vitest';
import { ChecksumFileFinder } from '../../src/ecosystems/checksum-file.ts';
import { maven } from '../../src/ecosystems/maven.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://repo.maven.apache.org/maven2';
const metadata = { kind: 'index', freshness: 'validate', merge: { type: 'application/xml' } };
const checksum = { kind: 'index', freshness: 'forever' };
const moving = { kind: 'index', freshness: 'validate' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const release = 'release';
const signature = { kind: 'artifact' };
const table = [
  ['/org/example/nail/1.0/nail-1.0.jar', release],
  ['/org/example/nail/1.0/nail-1.0.pom', release],
  ['/org/example/nail/1.0/nail-1.0.module', release],
  ['/org/example/nail/1.0/nail-1.0-sources.jar', release],
  ['/org/example/nail/1.0/nail-1.0-linux-x86_64.tar.gz', release],
  ['/org/scala/lib_2.13/2.0.0+1-abc/lib_2.13-2.0.0+1-abc.jar', release],
  ['/org/scala/lib_2.13/2.0.0%2B1/lib_2.13-2.0.0%2B1.jar', release],
  ['/org/example/nail/1.0-SNAPSHOT/nail-1.0-20260131.235959-12.jar', release],
  ['/org/example/nail/1.0-SNAPSHOT/nail-1.0-20260131.235959-12-tests.jar', release],
  ['/org/example/nail/1.0/nail-1.0.jar.asc', signature],
  ['/org/example/nail/1.0/nail-1.0.jar.sha1', checksum],
  ['/org/example/nail/1.0/nail-1.0.jar.md5', checksum],
  ['/org/example/nail/1.0/nail-1.0.jar.asc.sha512', checksum],
  ['/org/example/nail/1.0-SNAPSHOT/nail-1.0-20260131.235959-12.jar.sha256', checksum],
  ['/org/example/nail/maven-metadata.xml', metadata],
  ['/org/example/nail/maven-metadata.xml.sha1', { ...metadata, merge: { suffix: '.sha1' } }],
  ['/org/example/nail/maven-metadata.xml.asc', moving],
  ['/org/example/nail/1.0-SNAPSHOT/maven-metadata.xml', metadata],
  ['/org/example/nail/1.0-SNAPSHOT/nail-1.0-SNAPSHOT.jar', moving],
  ['/org/example/nail/1.0-SNAPSHOT/nail-1.0-SNAPSHOT.jar.sha1', moving],
  ['/org/example/nail/1.0/other-1.0.jar', plain],
  ['/org/example/nail/1.0/nail-1.01.jar', plain],
  ['/org/example/nail/1.0/nail-1.0-20260131.235959-12.jar?x=1', plain],
  ['/org/example/nail/1.0-SNAPSHOT/nail-1.0-latest.jar', plain],
  ['/org/example/nail/1.0/', plain],
  ['/archetype-catalog.xml', plain],
  ['/.index/nexus-maven-repository-index.gz', plain],
  ['/org/example/../nail/1.0/nail-1.0.jar', plain],
  ['/org/example/nail%2f1.0/nail-1.0.jar', plain],
] as const;

describeEcosystem({ create: () => maven, upstreamUrl, paths: table.map(([path]) => path) });

it.each(table)('maven judges %s', (path, expected) => {
  const url = upstreamUrl + path;
  const answer = maven.classify({ method: 'GET', url, path, headers: [] });
  if (typeof expected === 'object' && 'merge' in expected) expect(answer).toMatchObject(expected);
  else if (expected !== release) expect(answer).toEqual(expected);
  else {
    const urls = ['.sha512', '.sha256', '.sha1', '.md5'].map((suffix) => url + suffix);
    expect(answer).toMatchObject({ kind: 'artifact', digestFrom: { urls, ask: `${url}.sha1` } });
  }
});

it('takes Maven’s own habit out of its requests, and nobody else’s wish', () => {
  const path = '/org/example/nail/1.0/nail-1.0.jar';
  const wish = ['Cache-Control', 'no-cache, no-store', 'Pragma', 'no-cache'];
  const ask = (agent: string) =>
    maven.classify({
      method: 'GET',
      url: upstreamUrl + path,
      path,
      headers: ['User-Agent', agent, ...wish],
    });
  expect(ask('Apache-Maven/3.9.9 (Java 21; Linux)')).toMatchObject({
    requestHeaders: ['User-Agent', 'Apache-Maven/3.9.9 (Java 21; Linux)'],
  });
  expect(ask('curl/8.0')).not.toHaveProperty('requestHeaders');
});

describe('a checksum file', () => {
  const hex = '0123456789abcdef0123456789ABCDEF01234567';
  const expected = { algorithm: 'sha1', hex: hex.toLowerCase() };
  it.each([
    hex,
    `${hex}\n`,
    `${hex}  nail-1.0.jar\n`,
    `SHA1(nail-1.0.jar)= ${hex}\r\n`,
    `\n ${hex}`,
  ])('is read as %j', (text) => {
    const finder = new ChecksumFileFinder();
    for (const byte of Buffer.from(text)) finder.push(Uint8Array.of(byte));
    expect(finder.digest()).toEqual(expected);
  });

  it.each(['', hex.slice(1), `${hex}00`, `x${hex}`, '<html>', `${hex}${' '.repeat(5000)}`])(
    'says nothing where it is none: %j',
    (text) => {
      const finder = new ChecksumFileFinder();
      finder.push(Buffer.from(text));
      expect(finder.digest()).toBeUndefined();
    },
  );
});
