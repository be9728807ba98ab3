import type { EcosystemId } from '../../src/core/ecosystem-ids.ts';

/** A document of an ecosystem that leads to one file, as tests make it wrong. */
export interface IndexCase {
  readonly ecosystem: EcosystemId;
  /** Below the mount. */
  readonly path: string;
  readonly type: string;
  /** Below the mount: the file that the document names. */
  readonly file: string;
  /** With this URL of the file, and this digest of it as the ecosystem writes digests. */
  readonly document: (url: string, digest: string) => string;
  /** One that nobody knows; empty: the document has none. */
  readonly digest: string;
  /**
   * What the gateway does with it on its way: `changes` it where a part of it is no document, `reads`
   * it where any text is one, or `keeps` it.
   */
  readonly gateway: 'changes' | 'reads' | 'keeps';
  /** Names that would lead out of the mount, or be another package's. */
  readonly names: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

const json = 'application/json';

/** All whose indexes the gateway reads. */
export const indexCases: readonly IndexCase[] = [
  {
    ecosystem: 'npm',
    path: '/nail',
    type: json,
    file: '/nail/-/nail-1.0.0.tgz',
    document: (tarball, integrity) =>
      JSON.stringify({ name: 'nail', versions: { '1.0.0': { dist: { tarball, integrity } } } }),
    digest: 'sha999-AAAA',
    gateway: 'changes',
    names: ['/@scope%2f..%2f..%2fsecret', '/%2e%2e/secret', '/nail/-/..%2f..%2fsecret-1.0.0.tgz'],
    headers: { 'User-Agent': 'yarn/1.22.22' },
  },
  {
    ecosystem: 'pypi',
    path: '/simple/nail/',
    type: 'application/vnd.pypi.simple.v1+json',
    file: '/packages/nail-1.0-py3-none-any.whl',
    document: (url, blake9) =>
      JSON.stringify({
        files: [{ filename: 'nail-1.0-py3-none-any.whl', url, hashes: { blake9 } }],
      }),
    digest: 'AAAA',
    gateway: 'changes',
    names: ['/simple/../../secret/', '/simple/%2e%2e%2fsecret/', '/packages/..%5csecret.whl'],
    headers: { Accept: 'application/vnd.pypi.simple.v1+json' },
  },
  {
    ecosystem: 'pypi',
    path: '/simple/hammer/',
    type: 'text/html',
    file: '/packages/hammer-1.0-py3-none-any.whl',
    document: (url, digest) => `<a href="${url}#${digest}">hammer-1.0-py3-none-any.whl</a>`,
    digest: 'blake9=AAAA',
    gateway: 'reads',
    names: [],
    headers: { Accept: 'text/html' },
  },
  {
    ecosystem: 'cargo',
    path: '/config.json',
    type: json,
    file: '/api/v1/crates/nail/1.0.0/download',
    document: (url) => JSON.stringify({ dl: url.replace('/nail/1.0.0/download', ''), api: url }),
    digest: '',
    gateway: 'reads',
    names: [
      '/na/il/..%2f..%2fsecret',
      '/%2e%2e/secret',
      '/api/v1/crates/../../secret/1.0.0/download',
    ],
  },
  {
    ecosystem: 'cargo',
    path: '/na/il/nail',
    type: 'text/plain',
    file: '/api/v1/crates/nail/1.0.0/download',
    document: (_url, cksum) => `${JSON.stringify({ name: 'nail', vers: '1.0.0', cksum })}\n`,
    digest: 'blake9:AAAA',
    gateway: 'keeps',
    names: [],
  },
  {
    ecosystem: 'composer',
    path: '/p2/acme/nail.json',
    type: json,
    file: '/dist/acme/nail/acme-nail-1.0.0.zip',
    document: (url, shasum) => {
      const entry = { name: 'acme/nail', version: '1.0.0', dist: { type: 'zip', url, shasum } };
      return JSON.stringify({ packages: { 'acme/nail': [entry] } });
    },
    digest: 'blake9:AAAA',
    gateway: 'changes',
    names: [
      '/p2/acme/..%2f..%2fsecret.json',
      '/p2/../../secret.json',
      '/dist/%2e%2e/%2e%2e/x-1.0.0.zip',
    ],
  },
  {
    ecosystem: 'nuget',
    path: '/v3/index.json',
    type: json,
    file: '/v3-flatcontainer/nail/1.0.0/nail.1.0.0.nupkg',
    document: (url) =>
      JSON.stringify({
        version: '3.0.0',
        resources: [{ '@id': url, '@type': 'PackageBaseAddress/3.0.0' }],
      }),
    digest: '',
    gateway: 'changes',
    names: [
      '/v3-flatcontainer/..%2f..%2fsecret/1.0.0/secret.1.0.0.nupkg',
      '/v3/../../secret/index.json',
    ],
  },
  {
    ecosystem: 'helm',
    path: '/index.yaml',
    type: 'text/yaml',
    file: '/nail-1.0.0.tgz',
    document: (url, digest) =>
      `apiVersion: v1\nentries:\n  nail:\n  - digest: ${digest}\n    name: nail\n    urls:\n    - ${url}\n    version: 1.0.0\n`,
    digest: 'blake9:AAAA',
    gateway: 'reads',
    names: ['/..%2fsecret-1.0.0.tgz', '/%2e%2e/secret-1.0.0.tgz'],
  },
  {
    ecosystem: 'terraform',
    path: '/registry.example.test/acme/nail/1.0.0.json',
    type: json,
    file: '/registry.example.test/acme/nail/terraform-provider-nail_1.0.0_linux_amd64.zip',
    document: (url, hash) => JSON.stringify({ archives: { linux_amd64: { url, hashes: [hash] } } }),
    digest: 'q9:AAAA',
    gateway: 'changes',
    names: ['/registry.example.test/..%2f..%2fsecret/1.0.0.json', '/../secret/index.json'],
  },
  {
    ecosystem: 'gems',
    path: '/info/nail',
    type: 'text/plain',
    file: '/gems/nail-1.0.0.gem',
    document: (_url, checksum) => `---\n1.0.0 |checksum:${checksum}\n`,
    digest: 'blake9',
    gateway: 'keeps',
    names: ['/info/..%2f..%2fsecret', '/gems/../../secret-1.0.0.gem'],
  },
  {
    ecosystem: 'conda',
    path: '/main/noarch/repodata.json',
    type: json,
    file: '/main/noarch/nail-1.0-0.tar.bz2',
    document: (_url, blake9) => JSON.stringify({ packages: { 'nail-1.0-0.tar.bz2': { blake9 } } }),
    digest: 'AAAA',
    gateway: 'keeps',
    names: ['/main/..%2f..%2fsecret-1.0-0.tar.bz2', '/%2e%2e/noarch/repodata.json'],
  },
  {
    ecosystem: 'hex',
    path: '/packages/nail',
    type: 'application/octet-stream',
    file: '/tarballs/nail-1.0.0.tar',
    document: (_url, digest) => digest,
    digest: '\u000a\u0003AAA',
    gateway: 'keeps',
    names: ['/packages/..%2f..%2fsecret', '/tarballs/../../secret-1.0.0.tar'],
  },
  {
    ecosystem: 'maven',
    path: '/org/example/nail/1.0/nail-1.0.jar.sha1',
    type: 'text/plain',
    file: '/org/example/nail/1.0/nail-1.0.jar',
    document: (_url, digest) => digest,
    digest: 'blake9:AAAA',
    gateway: 'keeps',
    names: ['/org/example/..%2f..%2f..%2fsecret/1.0/x-1.0.jar', '/org/../../secret/1.0/x-1.0.jar'],
  },
];
