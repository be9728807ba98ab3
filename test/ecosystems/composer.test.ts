import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createComposer } from '../../src/ecosystems/composer.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://repo.packagist.org';
const create = () => createComposer({ hosts: ['Files.Example.com'] });
const document = { kind: 'index', freshness: 'rfc9111', vary: ['accept-encoding'], ownEtag: true };
const artifact = { kind: 'artifact' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const passthrough = { kind: 'passthrough' };
const commit = '0123456789abcdef0123456789abcdef01234567';
const sha256 = createHash('sha256').digest('hex');
const table = [
  ['/packages.json', document],
  ['/p2/acme/nail.json', document],
  ['/p2/acme/nail~dev.json', document],
  [
    `/p/acme/nail$${sha256}.json`,
    { kind: 'artifact', digest: { algorithm: 'sha256', hex: sha256 } },
  ],
  [`/include/all$${commit}.json`, { digest: { algorithm: 'sha1', hex: commit } }],
  [`/repos/acme/nail/zipball/${commit}`, artifact],
  [`/acme/nail/legacy.zip/${commit}`, artifact],
  [`/api/v4/projects/acme%2Fnail/repository/archive.zip?sha=${commit}`, artifact],
  ['/dist/acme/nail/acme-nail-1.0.0.zip', artifact],
  ['/repos/acme/nail/zipball/main', plain],
  ['/dist/acme/nail/latest.zip', plain],
  ['/dist/acme/../nail-1.0.0.zip', plain],
  ['/search.json?q=nail', passthrough],
  ['/api/security-advisories/', passthrough],
  ['/downloads/', passthrough],
  ['/', plain],
] as const;

describeEcosystem({
  create,
  upstreamUrl,
  paths: table.map(([path]) => path),
  allowedHosts: [
    'repo.packagist.org',
    'packagist.org',
    'api.github.com',
    'codeload.github.com',
    'gitlab.com',
    'bitbucket.org',
    'files.example.com',
  ],
});

const base = 'https://cache.example.com/composer';

function judge(path: string) {
  return create().classify({
    method: 'GET',
    url: upstreamUrl + path,
    path,
    headers: ['Accept-Encoding', 'identity'],
    upstreamUrl,
    publicBase: base,
  });
}

it.each(table)('composer judges %s', (path, expected) => {
  expect(judge(path)).toMatchObject(expected);
});

function rewritten(path: string, value: unknown): unknown {
  const answer = judge(path);
  if (answer.kind !== 'index' || !answer.rewrite) throw new Error('nothing is rewritten');
  const rewriter = answer.rewrite.create();
  const bytes = [...rewriter.push(Buffer.from(JSON.stringify(value))), ...rewriter.end()];
  return JSON.parse(Buffer.concat(bytes).toString());
}

describe('composer: addresses', () => {
  it('of packages.json lead to the gateway, templates too', () => {
    const mirror = 'https/files.example.com/d/%package%/%version%/r%reference%.%type%';
    expect(
      rewritten('/packages.json', {
        packages: [],
        'metadata-url': '/p2/%package%.json',
        'providers-url': '/p/%package%$%hash%.json',
        'notify-batch': 'https://packagist.org/downloads/',
        search: 'https://packagist.org/search.json?q=%query%&type=%type%',
        'security-advisories': {
          metadata: true,
          'api-url': 'https://packagist.org/api/security-advisories/',
        },
        mirrors: [{ 'dist-url': mirror.replace('/', '://'), preferred: true }],
        warning: 'https://packagist.org/p2/a/b.json',
      }),
    ).toEqual({
      packages: [],
      'metadata-url': `${base}/p2/%package%.json`,
      'providers-url': `${base}/p/%package%$%hash%.json`,
      'notify-batch': `${base}/-/at/https/packagist.org/downloads/`,
      search: `${base}/-/at/https/packagist.org/search.json?q=%query%&type=%type%`,
      'security-advisories': {
        metadata: true,
        'api-url': `${base}/-/at/https/packagist.org/api/security-advisories/`,
      },
      mirrors: [{ 'dist-url': `${base}/-/at/${mirror}`, preferred: true }],
      warning: 'https://packagist.org/p2/a/b.json',
    });
  });

  it('of archives lead to the gateway, where their host is allowed and public', () => {
    const dist = (url: string) => ({ dist: { type: 'zip', url, reference: commit } });
    const gitlab = `/api/v4/projects/acme%2Fnail/repository/archive.zip?sha=${commit}`;
    const urls = [
      `https://api.github.com/repos/acme/nail/zipball/${commit}`,
      `https://gitlab.com${gitlab}`,
      'https://files.example.com/acme-nail-1.0.0.zip',
      'https://evil.example/acme-nail-1.0.0.zip',
      'http://127.0.0.1/acme-nail-1.0.0.zip',
      'http://169.254.169.254/latest/meta-data-1.zip',
      'https://user:hush@files.example.com/acme-nail-1.0.0.zip',
      'https://files.example.com/../acme-nail-1.0.0.zip',
      'https://api.github.com/user',
      'file:///etc/passwd-1.zip',
    ];
    const value = { packages: { 'acme/nail': urls.map(dist) }, minified: 'composer/2.0' };
    const expected = [
      `${base}/-/at/https/codeload.github.com/acme/nail/legacy.zip/${commit}`,
      `${base}/-/at/https/gitlab.com${gitlab}`,
      `${base}/-/at/https/files.example.com/acme-nail-1.0.0.zip`,
      ...urls.slice(3),
    ];
    expect(rewritten('/p2/acme/nail.json', value)).toEqual({
      ...value,
      packages: { 'acme/nail': expected.map(dist) },
    });
  });
});

it('an archive has the digest that its package’s document gives', () => {
  const url = `https://codeload.github.com/acme/nail/legacy.zip/${commit}`;
  const path = `/-/at/https/codeload.github.com/acme/nail/legacy.zip/${commit}`;
  const answer = create().classify({ method: 'GET', url, path, headers: [], upstreamUrl });
  if (answer.kind !== 'artifact' || !answer.digestFrom) throw new Error('no place to look');
  expect(answer.digestFrom.urls).toEqual(
    expect.arrayContaining([`${upstreamUrl}/p2/acme/nail.json`]),
  );
  const shasum = commit.replace('0', 'f');
  const at = (reference: string) => `https://api.github.com/repos/acme/nail/zipball/${reference}`;
  const versions = [
    { dist: { url: at(commit.replace('1', 'e')), shasum: commit } },
    { dist: { url: at(commit), shasum } },
  ];
  const finder = answer.digestFrom.find();
  const found = finder.push(Buffer.from(JSON.stringify({ packages: { 'acme/nail': versions } })));
  expect([found, finder.digest()]).toEqual([true, { algorithm: 'sha1', hex: shasum }]);
});
