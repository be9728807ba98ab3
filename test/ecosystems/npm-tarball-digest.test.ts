import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/core/digest.ts';
import { get, npm, registry } from './npm-fixture.ts';

const hash = (algorithm: string, encoding: 'hex' | 'base64') =>
  createHash(algorithm).update('tarball').digest(encoding);
const sha512 = { algorithm: 'sha512', hex: hash('sha512', 'hex') };
const sha1 = { algorithm: 'sha1', hex: hash('sha1', 'hex') };
const integrity = `sha512-${hash('sha512', 'base64')}`;

function sourceOf(path: string) {
  const answer = npm.classify(get(path));
  return answer.kind === 'artifact' ? answer.digestFrom : undefined;
}

function found(document: unknown, path = '/name/-/name-1.0.0.tgz', step = 1e6): Digest | undefined {
  const finder = sourceOf(path)?.find();
  const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  for (let at = 0; at < bytes.length; at += step) {
    if (finder?.push(bytes.subarray(at, at + step))) break;
  }
  return finder?.digest();
}

const packument = (dist: object, version = '1.0.0') => ({
  name: 'name',
  versions: {
    '0.9.0': { dist: { tarball: 'https://a.test/name-1.0.0.tgz', integrity: 'sha512-AAAA' } },
    [version]: { readme: '{"dist":', dist },
    '1.0.1': { dist: { shasum: 'x' } },
  },
});
const tarball = 'https://elsewhere.test/x/name-1.0.0.tgz';

describe('the digest of a tarball', () => {
  it('is looked for in the documents of package and version, under every spelling', () => {
    expect(sourceOf('/name/-/name-1.0.0.tgz?x')?.urls).toEqual([
      `${registry}/name`,
      `${registry}/name/1.0.0`,
    ]);
    expect(sourceOf('/@scope%2fname/-/name-1.0.0-rc.1.tgz')?.urls).toEqual([
      `${registry}/@scope%2fname`,
      `${registry}/@scope%2Fname`,
      `${registry}/@scope/name`,
      `${registry}/@scope%2fname/1.0.0-rc.1`,
      `${registry}/@scope%2Fname/1.0.0-rc.1`,
      `${registry}/@scope/name/1.0.0-rc.1`,
    ]);
  });

  it('is that of the version in the file’s name, the strongest of those given', () => {
    expect(found(packument({ shasum: sha1.hex, tarball, integrity }))).toEqual(sha512);
    expect(found(packument({ shasum: sha1.hex, tarball }))).toEqual(sha1);
    const hashed = `/download/name/1.0.0/${'ab'.repeat(32)}`;
    expect(found(packument({ integrity, tarball: registry + hashed }), hashed)).toEqual(sha512);
  });

  it('is that of the version’s own document, where that is all there is', () => {
    expect(found({ name: 'name', version: '1.0.0', dist: { tarball, integrity } })).toEqual(sha512);
    expect(found({ dist: { tarball: 'https://a.test/b.tgz', integrity } })).toBeUndefined();
    // Behind versions among which it is not.
    const versions = { '0.9.0': { dist: { integrity: 'sha512-AAAA' } } };
    expect(found({ versions, dist: { tarball, integrity } })).toEqual(sha512);
  });

  it('is found wherever the document is cut', () => {
    const document = packument({ integrity, tarball, shasum: sha1.hex });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (step) => {
        expect(found(document, undefined, step)).toEqual(sha512);
      }),
    );
  });

  it('is unknown where the version names another file, has none, or one that cannot be read', () => {
    expect(
      found(packument({ integrity, tarball: 'https://a.test/other-1.0.0.tgz' })),
    ).toBeUndefined();
    expect(found(packument({ integrity }))).toBeUndefined();
    expect(found(packument({ tarball }))).toBeUndefined();
    expect(found(packument({ tarball, integrity: 'sha9-AAAA', shasum: 'abc' }))).toBeUndefined();
    expect(found(packument({ tarball, integrity }, '1.0.2'))).toBeUndefined();
    expect(found('<html>')).toBeUndefined();
    expect(found('{"versions":[{"dist":{"integrity":"x"}}]}')).toBeUndefined();
  });

  it.each(['/name/-/other-1.0.0.tgz', '/name/-/name-latest.tgz', '/name/-/name-*.tgz'])(
    'is not looked for where the file’s name says no version (%s)',
    (path) => {
      expect(npm.classify(get(path))).toEqual({ kind: 'artifact' });
    },
  );
});
