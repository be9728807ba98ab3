import { expect, it } from 'vitest';
import { conda } from '../../src/ecosystems/conda.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';
import { digestIn } from './reading.ts';

const upstreamUrl = 'https://conda.anaconda.org';
const document = { kind: 'index', freshness: 'rfc9111', vary: ['accept-encoding'], ownEtag: true };
const artifact = { kind: 'artifact' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const sum = 'a'.repeat(64);
const table = [
  ['/forge/linux-64/repodata.json', document],
  ['/forge/linux-64/current_repodata.json', document],
  ['/forge/linux-64/repodata.json.zst', document],
  ['/forge/noarch/repodata_shards.msgpack.zst', document],
  [`/forge/noarch/shards/${sum}.msgpack.zst`, { digest: { algorithm: 'sha256', hex: sum } }],
  ['/forge/linux-64/nail-1.0.0-h123_0.conda', artifact],
  ['/t/token/forge/noarch/nail-kit-1.0.0-py_0.tar.bz2', artifact],
  ['/forge/noarch/nail-1%211.0-py_0.conda', artifact],
  ['/forge/noarch/nail.conda', plain],
  ['/forge/noarch/nail-1.0.0-py_0.conda?x=1', plain],
  ['/forge/../nail-1.0.0-py_0.conda', plain],
  ['/', plain],
] as const;

describeEcosystem({ create: () => conda, upstreamUrl, paths: table.map(([path]) => path) });

function judge(path: string) {
  return conda.classify({ method: 'GET', url: upstreamUrl + path, path, headers: [] });
}

it.each(table)('conda judges %s', (path, expected) => {
  expect(judge(path)).toMatchObject(expected);
});

it('conda: a package has the digest that its platform’s index gives, in either list', () => {
  const md5 = 'd'.repeat(32);
  const text = JSON.stringify({
    info: { subdir: 'noarch' },
    packages: { 'nail-1.0-0.tar.bz2': { md5, name: 'nail' } },
    'packages.conda': {
      'nail-1.0-0.conda': { depends: ['x'], md5, sha256: 'b'.repeat(64) },
      'nail-1!1.0-0.conda': { sha256: 'c'.repeat(64) },
    },
  });
  const found = (file: string) => digestIn(judge(`/forge/noarch/${file}`), text);
  expect(found('nail-1.0-0.conda')).toEqual({ algorithm: 'sha256', hex: 'b'.repeat(64) });
  expect(found('nail-1%211.0-0.conda')?.hex).toBe('c'.repeat(64));
  expect(found('nail-1.0-0.tar.bz2')).toEqual({ algorithm: 'md5', hex: md5 });
  expect(found('nail-2.0-0.conda')).toBeUndefined();
  expect(judge('/forge/noarch/nail-1.0-0.conda')).toMatchObject({
    digestFrom: {
      urls: ['repodata.json', 'current_repodata.json'].map(
        (name) => `${upstreamUrl}/forge/noarch/${name}`,
      ),
    },
  });
});
