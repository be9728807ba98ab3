import { Buffer } from 'node:buffer';
import type { Rewrite } from '../../src/core/classification.ts';
import { createComposer } from '../../src/ecosystems/composer.ts';
import type { Ecosystem } from '../../src/ecosystems/ecosystem.ts';
import { createHelm } from '../../src/ecosystems/helm.ts';
import { createNuget } from '../../src/ecosystems/nuget.ts';
import { createTerraform } from '../../src/ecosystems/terraform.ts';
import type { DocumentCase } from './rewriting.ts';

const entries = 30_000;
const upstreamUrl = 'https://index.example.com';
const hosts = { hosts: [] };

/** Indexes of more than 10 MiB, and Terraform's, which is small, as if it were. */
export const indexDocuments: readonly DocumentCase[] = [
  made('Helm index', createHelm(hosts), '/index.yaml', charts),
  made('Composer document', createComposer(hosts), '/p2/acme/nail.json', packages),
  made('NuGet registration', createNuget(hosts), '/v3/nail/index.json', registration),
  made('Terraform archives', createTerraform(hosts), '/example.com/acme/nail/1.0.0.json', archives),
];

function made(
  name: string,
  ecosystem: Ecosystem,
  path: string,
  document: () => string,
): DocumentCase {
  return { name, rewrite: rewriteOf(ecosystem, path), document: () => Buffer.from(document()) };
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
  const leaves = Array.from({ length: entries / 2 }, (_, i) => ({
    '@id': `${upstreamUrl}/v3/nail/1.${i}.0.json`,
    '@type': 'Package',
    catalogEntry: {
      '@id': `${upstreamUrl}/v3/catalog/nail.1.${i}.0.json`,
      authors: 'someone',
      dependencyGroups: ['net8.0', 'netstandard2.0'].map((targetFramework) => ({
        '@id': `${upstreamUrl}/v3/catalog/nail.1.${i}.0.json#dependencygroup/${targetFramework}`,
        '@type': 'PackageDependencyGroup',
        dependencies: [{ '@type': 'PackageDependency', id: 'Iron', range: '[1.0.0, )' }],
        targetFramework,
      })),
      description: 'A package that does not exist, described in some words, with a "quoted" one.',
      iconUrl: '',
      id: 'nail',
      language: '',
      licenseExpression: 'MIT',
      listed: true,
      minClientVersion: '2.12',
      packageContent: `${upstreamUrl}/v3-flatcontainer/nail/1.${i}.0/nail.1.${i}.0.nupkg`,
      projectUrl: 'https://example.org/nail',
      published: '2026-01-01T00:00:00+00:00',
      requireLicenseAcceptance: false,
      summary: '',
      tags: ['nail', 'hammer', 'wood'],
      title: 'Nail',
      version: `1.${i}.0`,
    },
    packageContent: `${upstreamUrl}/v3-flatcontainer/nail/1.${i}.0/nail.1.${i}.0.nupkg`,
    registration: index,
  }));
  const page = { '@id': `${index}#page`, count: leaves.length, items: leaves, parent: index };
  return JSON.stringify({ '@id': index, count: 1, items: [page] });
}

function archives(): string {
  const each = Array.from({ length: entries * 1.5 }, (_, i) => [
    `linux_${i}`,
    {
      url: `${upstreamUrl}/files/terraform-provider-nail_1.0.0_linux_${i}.zip`,
      hashes: [`zh:${'0'.repeat(64)}`, `h1:${'A'.repeat(43)}=`, `zh:${'1'.repeat(64)}`],
    },
  ]);
  return JSON.stringify({ archives: Object.fromEntries(each) });
}
