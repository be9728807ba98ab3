import { Buffer } from 'node:buffer';
import type { Rewrite } from '../../src/core/classification.ts';
import { createComposer } from '../../src/ecosystems/composer.ts';
import type { Ecosystem } from '../../src/ecosystems/ecosystem.ts';
import { createHelm } from '../../src/ecosystems/helm.ts';
import { createNuget } from '../../src/ecosystems/nuget.ts';
import type { MicroCase } from './case.ts';

const chunkBytes = 64 * 1024;
const entries = 5_000;
const upstreamUrl = 'https://index.example.com';
const hosts = { hosts: [] };

/** Indexes of some MB through their rewriters, as they come from a socket. */
export const indexRewriteCases: readonly MicroCase[] = [
  micro('Helm index rewriting', createHelm(hosts), '/index.yaml', charts()),
  micro('Composer document rewriting', createComposer(hosts), '/p2/acme/nail.json', packages()),
  micro('NuGet registration rewriting', createNuget(hosts), '/v3/nail/index.json', registration()),
];

function micro(name: string, ecosystem: Ecosystem, path: string, document: string): MicroCase {
  const rewrite = rewriteOf(ecosystem, path);
  const bytes = Buffer.from(document);
  const count = Math.ceil(bytes.length / chunkBytes);
  const chunks = Array.from({ length: count }, (_, i) =>
    bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
  return {
    name,
    times: 1,
    bytes: bytes.length,
    run() {
      const rewriter = rewrite.create();
      let out = 0;
      for (const chunk of chunks) for (const piece of rewriter.push(chunk)) out += piece.length;
      for (const piece of rewriter.end()) out += piece.length;
      return out;
    },
  };
}

function rewriteOf(ecosystem: Ecosystem, path: string): Rewrite {
  const answer = ecosystem.classify({
    method: 'GET',
    url: upstreamUrl + path,
    path,
    headers: [],
    upstreamUrl,
    publicBase: 'http://cache.example.com:8080/mount',
  });
  if (answer.kind !== 'index' || !answer.rewrite) throw new Error(`${path} is not rewritten`);
  return answer.rewrite;
}

function charts(): string {
  const all = Array.from(
    { length: entries },
    (_, i) => `  - apiVersion: v2
    appVersion: "1.${i}"
    created: "2026-01-01T00:00:00.000000000Z"
    dependencies:
    - name: common
      repository: https://charts.example.org
      version: 2.x.x
    description: A chart that does not exist, described in some words.
    digest: ${'0'.repeat(64)}
    keywords:
    - one
    - two
    maintainers:
    - email: someone@example.org
      name: someone
    name: nail
    urls:
    - ${upstreamUrl}/charts/nail-1.${i}.0.tgz
    version: 1.${i}.0
`,
  );
  return `apiVersion: v1\nentries:\n  nail:\n${all.join('')}`;
}

function packages(): string {
  const reference = '0'.repeat(40);
  const versions = Array.from({ length: entries }, (_, i) => ({
    name: 'acme/nail',
    description: 'A package that does not exist, with a "quoted" word and a back\\slash.',
    version: `1.${i}.0`,
    license: ['MIT'],
    source: { type: 'git', url: 'https://git.example.com/acme/nail.git', reference },
    dist: { type: 'zip', url: `${upstreamUrl}/dist/nail-1.${i}.0.zip`, shasum: '', reference },
    require: { php: '>=8.1', 'acme/iron': '^1.0' },
    autoload: { 'psr-4': { 'Acme\\Nail\\': 'src' } },
    time: '2026-01-01T00:00:00+00:00',
  }));
  return JSON.stringify({ packages: { 'acme/nail': versions }, minified: 'composer/2.0' });
}

function registration(): string {
  const index = `${upstreamUrl}/v3/nail/index.json`;
  const leaves = Array.from({ length: entries }, (_, i) => ({
    '@id': `${upstreamUrl}/v3/nail/1.${i}.0.json`,
    '@type': 'Package',
    catalogEntry: {
      '@id': `${upstreamUrl}/v3/catalog/nail.1.${i}.0.json`,
      authors: 'someone',
      description: 'A package that does not exist, described in some words.',
      id: 'nail',
      listed: true,
      version: `1.${i}.0`,
    },
    packageContent: `${upstreamUrl}/v3-flatcontainer/nail/1.${i}.0/nail.1.${i}.0.nupkg`,
    registration: index,
  }));
  const page = { '@id': `${index}#page`, count: entries, items: leaves, parent: index };
  return JSON.stringify({ '@id': index, count: 1, items: [page] });
}
