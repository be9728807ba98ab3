import { describe, expect, it } from 'vitest';
import { pathOf } from '../../src/core/canonical-url.ts';
import type { ClassifyRequest, IndexClassification } from '../../src/core/classification.ts';
import { createApt } from '../../src/ecosystems/apt.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const sha256 = 'ab'.repeat(32);
const apt = createApt({ hosts: ['deb.example.com'] });
const aptAgent = ['User-Agent', 'Debian APT-HTTP/1.3 (3.0.3)'];

const byHash = `/dists/stable/main/binary-amd64/by-hash/SHA256/${sha256}`;
const indexes = [
  '/dists/stable/InRelease',
  '/dists/stable/Release',
  '/dists/stable/Release.gpg',
  '/dists/stable/updates/InRelease',
  '/dists/stable/main/binary-amd64/Packages',
  '/dists/stable/main/binary-amd64/Packages.xz',
  '/dists/stable/main/binary-amd64/Packages.diff/Index',
  '/dists/stable/main/binary-amd64/Packages.diff/2026-01-01-0200.00.gz',
  '/dists/stable/main/source/Sources.gz',
  '/dists/stable/main/Contents-amd64.gz',
  '/dists/stable/main/i18n/Translation-de.bz2',
  '/dists/stable/main/i18n/Translation-pt_BR.xz',
  '/dists/stable/main/dep11/Components-amd64.yml.gz',
  '/dists/stable/main/dep11/icons-64x64.tar.gz',
  '/dists/stable/main/cnf/Commands-amd64.xz',
  '/dists/stable/main/installer-amd64/current/images/SHA256SUMS',
];
const packages = [
  '/pool/main/z/zlib/zlib1g_1.3.dfsg-3.1_amd64.deb',
  '/pool/main/z/zlib/zlib1g-udeb_1.3.dfsg-3.1_amd64.udeb',
  '/pool/main/z/zlib/zlib_1.3.dfsg-3.1.dsc',
  '/pool/main/z/zlib/zlib_1.3.dfsg.orig.tar.xz',
  '/pool/main/z/zlib/zlib_1.3.dfsg.orig.tar.gz.asc',
  '/pool/main/z/zlib/zlib_1.3.dfsg-3.1.debian.tar.xz',
  '/pool/main/o/old/old_1.0-1.diff.gz',
  '/pool/main/g/g++/g++_4%3a14.2.0-1_amd64.deb',
  '/pool/main/libs/libx_1.0%7erc1%2bds-1_all.deb',
  '/pool/universe/z/zlib/zlib1g-dbgsym_1.3-1_amd64.ddeb',
  '/dists/noble/pool/stable/amd64/tool_29.0.1-1~debian.13~trixie_amd64.deb',
];
const others = [
  '/',
  '/pool/',
  '/pool/main/z/zlib/',
  '/pool/main/c/chrome/chrome_current_amd64.deb',
  '/pool/README.deb',
  '/pool/tables/billiard.deb',
  '/flat/tool_1.0_amd64.deb',
  '/dists/',
  '/dists/stable',
  '/dists/stable/InRelease?token=1',
  '/dists/stable/main/by-hash/SHA256/abcd',
  `/dists/stable/main/by-hash/CRC32/${sha256}`,
  '/dists/../pool/a_1_all.deb',
  '/dists/%2e%2e/secret/InRelease',
];

describeEcosystem({
  create: () => createApt({ hosts: ['deb.example.com'] }),
  upstreamUrl: 'http://deb.example.com/debian',
  paths: [byHash, ...indexes, ...packages, ...others],
  headers: aptAgent,
});

describe('apt', () => {
  it.each(indexes)('validates the index %s each time, or as it says', (path) => {
    const freshness = /\/(In)?Release$/.test(path) ? 'explicit' : 'validate';
    expect(apt.classify(get(path))).toMatchObject({ kind: 'index', freshness });
  });

  it.each(indexes)('remembers who was given which version of %s, if it names others', (path) => {
    const names = /\/(In)?Release$/.test(path) || undefined;
    expect(apt.classify(get(path))).toHaveProperty('kind', 'index');
    expect((apt.classify(get(path)) as IndexClassification).names).toBe(names);
  });

  it('knows which Release file a signature fits', () => {
    const fits = 'http://deb.example.com/debian/dists/stable/Release';
    expect(apt.classify(get('/dists/stable/Release.gpg'))).toMatchObject({ fits });
    expect(apt.classify(get('/dists/stable/InRelease'))).not.toHaveProperty('fits');
  });

  it('takes no age for an answer of its own habit alone', () => {
    const headers = [...aptAgent, 'Cache-Control', 'max-age=0'];
    const asked = { ...get('/dists/stable/InRelease'), headers };
    expect(apt.classify(asked)).toMatchObject({ requestHeaders: aptAgent });
    for (const other of [
      ['User-Agent', 'curl/8', 'Cache-Control', 'max-age=0'],
      [...aptAgent, 'Cache-Control', 'no-cache'],
    ]) {
      expect(apt.classify({ ...asked, headers: other })).not.toHaveProperty('requestHeaders');
    }
  });

  it.each(packages)('keeps the package %s', (path) => {
    const { listedBelow: _, ...answer } = { listedBelow: undefined, ...apt.classify(get(path)) };
    expect(answer).toEqual({ kind: 'artifact' });
  });

  it.each([
    ['MD5Sum', 'md5', 32],
    ['SHA1', 'sha1', 40],
    ['SHA256', 'sha256', 64],
    ['SHA512', 'sha512', 128],
  ] as const)('expects the digest of by-hash/%s', (name, algorithm, length) => {
    const hex = 'c4'.repeat(length / 2);
    expect(apt.classify(get(`/dists/sid/main/by-hash/${name}/${hex}`))).toEqual({
      kind: 'artifact',
      digest: { algorithm, hex },
    });
  });

  it.each(others)('leaves %s to the response', (path) => {
    expect(apt.classify(get(path))).toEqual({ kind: 'index', freshness: 'rfc9111' });
  });

  it.each(['InRelease', 'Release', 'Release.gpg', 'Packages', 'Packages.gz', 'Sources.zst'])(
    'validates %s of a flat repository',
    (file) => {
      expect(apt.classify(get(`/any/where/${file}`))).toMatchObject({
        kind: 'index',
        freshness: /^(In)?Release$/.test(file) ? 'explicit' : 'validate',
      });
    },
  );
});

describe('apt on the forward proxy', () => {
  it.each([byHash, ...indexes, ...packages])('knows %s whoever asks', (path) => {
    expect(apt.recognises?.(get(path))).toBe(true);
  });

  it.each([
    ...others,
    '/dists/stable/readme.html',
    '/blog/Release',
    '/blog/Packages',
    '/x/Sources',
  ])('is not fooled by %s', (path) => {
    expect(apt.recognises?.(get(path))).toBe(false);
  });

  it.each(['/flat/Release', '/flat/Packages', '/flat/Sources', '/dists/stable/extra/file'])(
    'knows %s when apt asks',
    (path) => {
      expect(apt.recognises?.({ ...get(path), headers: aptAgent })).toBe(true);
      expect(apt.recognises?.({ ...get(path), headers: ['User-Agent', 'curl/8.1'] })).toBe(false);
    },
  );

  it.each(['/', '/index.html', '/a/b.tar.gz'])('does not know %s even when apt asks', (path) => {
    expect(apt.recognises?.({ ...get(path), headers: aptAgent })).toBe(false);
  });
});

function get(path: string): ClassifyRequest {
  const url = `http://deb.example.com/debian${path}`;
  return { method: 'GET', url, path: pathOf(url), headers: [] };
}
