import { expect, it } from 'vitest';
import { gems } from '../../src/ecosystems/gems.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://rubygems.org';
const artifact = { kind: 'artifact' };
const document = { kind: 'index', freshness: 'rfc9111', vary: ['accept-encoding'], ownEtag: true };
const plain = { kind: 'index', freshness: 'rfc9111' };
const passthrough = { kind: 'passthrough' };
const table = [
  ['/gems/rake-13.0.6.gem', artifact],
  ['/gems/nokogiri-1.16.0-x86_64-linux.gem', artifact],
  ['/gems/net-http2-0.18-3.gem', artifact],
  ['/quick/Marshal.4.8/rake-13.0.6.gemspec.rz', artifact],
  ['/versions', { ...document, wholeForHead: true }],
  ['/names', document],
  ['/info/rake', document],
  ['/specs.4.8.gz', document],
  ['/latest_specs.4.8.gz', document],
  ['/prerelease_specs.4.8.gz', document],
  ['/api/v1/search.json?query=rake', passthrough],
  ['/api/v1/gems/rake/versions', passthrough],
  ['/gems/rake.gem', plain],
  ['/gems/rake-13.0.6.gem?x', plain],
  ['/gems/../gems/rake-13.0.6.gem', plain],
  ['/gems/rake%2f-13.0.6.gem', plain],
  ['/info/../secret', plain],
  ['/', { ...plain, wholeForHead: true }],
] as const;

describeEcosystem({ create: () => gems, upstreamUrl, paths: table.map(([path]) => path) });

function judge(path: string) {
  return gems.classify({
    method: 'GET',
    url: upstreamUrl + path,
    path,
    headers: ['Accept-Encoding', 'identity'],
  });
}

it.each(table)('gems judges %s', (path, expected) => {
  expect(judge(path)).toMatchObject(expected);
});

const sum = (digit: string) => digit.repeat(64);
const info = `---
1.0.0 |checksum:${sum('1')},ruby:>= 2.0
1.0.0-java dep:>= 1&< 3|checksum:${sum('2')}
1.0.0.1 |ruby:>= 2.0,checksum:${sum('3')}
1.1.0 |ruby:>= 2.0`;

it.each([
  ['/gems/nail-1.0.0.gem', sum('1')],
  ['/gems/nail-1.0.0-java.gem', sum('2')],
  ['/gems/nail-1.0.0.1.gem', sum('3')],
  ['/gems/nail-1.1.0.gem', undefined],
  ['/gems/nail-1.gem', undefined],
])('the compact index gives %s its digest', (path, hex) => {
  const answer = judge(path);
  if (answer.kind !== 'artifact' || !answer.digestFrom) throw new Error('no place to look');
  const finder = answer.digestFrom.find();
  for (const byte of Buffer.from(info)) finder.push(Uint8Array.of(byte));
  expect(finder.digest()).toEqual(hex && { algorithm: 'sha256', hex });
});

it('looks under each name that a file may have, below the mount’s own upstream', () => {
  const path = '/gems/net-http-2-0.18.gem';
  const url = `https://gems.example.com/private${path}`;
  const answer = gems.classify({
    method: 'GET',
    url,
    path,
    headers: [],
    upstreamUrl: 'https://gems.example.com/private',
  });
  expect(answer).toMatchObject({
    digestFrom: {
      urls: [
        'https://gems.example.com/private/info/net-http',
        'https://gems.example.com/private/info/net-http-2',
      ],
    },
  });
});
