import { expect, it } from 'vitest';
import { createNuget } from '../../src/ecosystems/nuget.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';
import { rewritten } from './reading.ts';

const upstreamUrl = 'https://api.nuget.org';
const create = () => createNuget({ hosts: ['Feed.Example.com'] });
const document = { kind: 'index', freshness: 'rfc9111', vary: ['accept-encoding'], ownEtag: true };
const artifact = { kind: 'artifact' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const passthrough = { kind: 'passthrough' };
const table = [
  ['/v3/index.json', document],
  ['/v3/registration5-gz-semver2/nail/index.json', document],
  ['/v3/registration5-gz-semver2/nail/page/1.0.0/2.0.0.json', document],
  ['/v3-flatcontainer/nail/index.json', document],
  ['/v3-flatcontainer/nail/1.0.0/nail.1.0.0.nupkg', artifact],
  ['/v3-flatcontainer/nail/1.0.0-beta.1/nail.1.0.0-beta.1.nupkg', artifact],
  ['/v3-flatcontainer/nail/1.0.0/nail.nuspec', artifact],
  ['/v3-flatcontainer/nail/1.0.0/hammer.1.0.0.nupkg', plain],
  ['/v3-flatcontainer/nail/../nail/1.0.0/nail.nuspec', plain],
  ['/v3-flatcontainer/nail%2f1.0.0/nail.nuspec', plain],
  ['/query?q=nail&prerelease=false', passthrough],
  ['/autocomplete?q=na', passthrough],
  ['/', plain],
] as const;

const services = ['azuresearch-usnc.nuget.org', 'azuresearch-ussc.nuget.org', 'www.nuget.org'];
describeEcosystem({
  create,
  upstreamUrl,
  paths: table.map(([path]) => path),
  allowedHosts: ['api.nuget.org', 'globalcdn.nuget.org', 'feed.example.com', ...services],
});

function judge(path: string, publicBase = 'http://cache.example.com/nuget') {
  const url = upstreamUrl + path;
  return create().classify({ method: 'GET', url, path, headers: [], upstreamUrl, publicBase });
}

it.each(table)('nuget judges %s', (path, expected) => {
  expect(judge(path)).toMatchObject(expected);
});

it('nuget: the service index leads to the gateway where its hosts are known', () => {
  const signatures = 'https://api.nuget.org/v3-index/repository-signatures/5.0.0/index.json';
  const addresses = [
    ['https://api.nuget.org/v3-flatcontainer/', '/v3-flatcontainer/'],
    ['https://API.nuget.org/v3/registration5', '/v3/registration5'],
    ['https://azuresearch-usnc.nuget.org/query', '/-/at/https/azuresearch-usnc.nuget.org/query'],
    ['https://www.nuget.org/api/v2/package', '/-/at/https/www.nuget.org/api/v2/package'],
    ['https://feed.example.com/flat/', '/-/at/https/feed.example.com/flat/'],
    ['https://www.nuget.org/packages/{id}/{version}/ReportAbuse', undefined],
    ['https://evil.example/flat/', undefined],
    ['http://127.0.0.1/flat/', undefined],
    ['http://169.254.169.254/latest/', undefined],
    [signatures, undefined],
  ] as const;
  const index = (ids: readonly string[]) =>
    JSON.stringify({ version: '3.0.0', resources: ids.map((id) => ({ '@id': id, '@type': 'x' })) });
  const before = index(addresses.map(([address]) => address));
  const after = (base: string) =>
    addresses.map(([address, moved]) => (moved === undefined ? address : base + moved));
  const base = 'http://cache.example.com/nuget';
  expect(rewritten(judge('/v3/index.json'), before)).toBe(index(after(base)));
  // Signatures of the repository have to come over https.
  const secure = 'https://cache.example.com/nuget';
  expect(rewritten(judge('/v3/index.json', secure), before)).toBe(
    index([...after(secure).slice(0, -1), signatures.replace(upstreamUrl, secure)]),
  );
});

it('nuget: registrations lead to the gateway, pages, leaves and packages', () => {
  const at = (base: string) => {
    const leaf = {
      '@id': `${base}/v3/registration5/nail/1.0.0.json`,
      catalogEntry: { '@id': `${base}/v3/catalog0/nail.json`, projectUrl: `${upstreamUrl}/x` },
      packageContent: `${base}/v3-flatcontainer/nail/1.0.0/nail.1.0.0.nupkg`,
      registration: `${base}/v3/registration5/nail/index.json`,
    };
    const id = `${base}/v3/registration5/nail/index.json`;
    const page = { '@id': `${id}#page/1.0.0/1.0.0`, count: 1, items: [leaf], parent: id };
    return JSON.stringify({ '@id': id, items: [page] });
  };
  const answer = judge('/v3/registration5/nail/index.json');
  expect(rewritten(answer, at(upstreamUrl))).toBe(at('http://cache.example.com/nuget'));
});

it('nuget: the list of known vulnerabilities leads to the gateway', () => {
  const list = (base: string) =>
    JSON.stringify([
      { '@name': 'base', '@id': `${base}/v3/vulnerabilities/base.json`, comment: upstreamUrl },
      { '@name': 'update', '@id': 'https://evil.example/update.json' },
    ]);
  const answer = judge('/v3/vulnerabilities/index.json');
  for (const size of [1, 7, 10_000]) {
    expect(rewritten(answer, list(upstreamUrl), size)).toBe(list('http://cache.example.com/nuget'));
  }
});
