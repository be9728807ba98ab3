import { expect, it } from 'vitest';
import { createTerraform } from '../../src/ecosystems/terraform.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';
import { digestIn, rewritten } from './reading.ts';

const upstreamUrl = 'https://mirror.example.com/providers';
const publicBase = 'https://cache.example.com/terraform';
const create = () => createTerraform({ hosts: ['releases.example.com'] });
const document = { kind: 'index', freshness: 'rfc9111', vary: ['accept-encoding'], ownEtag: true };
const artifact = { kind: 'artifact', wholeForHead: true };
const plain = { kind: 'index', freshness: 'rfc9111' };
const folder = '/registry.terraform.io/acme/nail';
const file = 'terraform-provider-nail_2.0.0_linux_amd64.zip';
const table = [
  [`${folder}/index.json`, document],
  [`${folder}/2.0.0.json`, document],
  [`${folder}/2.0.0-beta1.json`, document],
  [`${folder}/${file}`, artifact],
  [`${folder}/${file}?x=1`, plain],
  [`${folder}/other.zip`, plain],
  [`${folder}/../${file}`, plain],
  ['/', plain],
] as const;

describeEcosystem({
  create,
  upstreamUrl,
  paths: table.map(([path]) => path),
  allowedHosts: ['releases.example.com'],
});

function judge(path: string) {
  const url = upstreamUrl + path;
  return create().classify({ method: 'GET', url, path, headers: [], upstreamUrl, publicBase });
}

it.each(table)('terraform judges %s', (path, expected) => {
  expect(judge(path)).toMatchObject(expected);
});

it('terraform: absolute URLs of archives lead to the gateway, where their host is known', () => {
  const version = (urls: readonly string[]) =>
    JSON.stringify({ archives: Object.fromEntries(urls.map((url, at) => [`os_${at}`, { url }])) });
  const kept = [file, `https://evil.example/${file}`, `http://127.0.0.1/${file}`];
  const before = version([...kept, `https://releases.example.com/${file}`]);
  expect(rewritten(judge(`${folder}/2.0.0.json`), before)).toBe(
    version([...kept, `${publicBase}/-/at/https/releases.example.com/${file}`]),
  );
});

it('terraform: an archive has the hash of the file that its version gives', () => {
  const [right, wrong] = ['a'.repeat(64), 'b'.repeat(64)];
  const archives = (hashes: readonly string[]) =>
    JSON.stringify({
      archives: {
        darwin_arm64: { url: 'x', hashes: [`zh:${wrong}`] },
        linux: { hashes, url: file },
      },
    });
  const answer = judge(`${folder}/${file}`);
  expect(answer).toMatchObject({
    digestFrom: { urls: [`${upstreamUrl}${folder}/2.0.0.json`] },
  });
  expect(digestIn(answer, archives(['h1:abc=', `zh:${right}`]))?.hex).toBe(right);
  // Of all platforms together: none is known to be the file's.
  expect(digestIn(answer, archives([`zh:${right}`, `zh:${wrong}`]))).toBeUndefined();
  expect(digestIn(answer, archives(['h1:abc=']))).toBeUndefined();
});
