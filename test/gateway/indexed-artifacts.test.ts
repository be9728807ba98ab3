import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { EcosystemId } from '../../src/core/ecosystem-ids.ts';
import { testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';

/** A small registry of an ecosystem: an index, and an artifact that a client finds through it. */
interface Registry {
  readonly ecosystem: EcosystemId;
  /** Path of the index below the upstream. */
  readonly index: string;
  /** The index; `files` is the URL of another origin, where the artifact may be. */
  readonly document: (upstream: string, files: string) => string | Uint8Array;
  /** The artifact's URL, as a client takes it from the index that it got at `url`. */
  readonly follow: (text: string, url: string) => string;
  /** The artifact's path, and whether it is on the other origin. */
  readonly artifact: string;
  readonly elsewhere?: boolean;
  /** Whether the index says what the artifact must be. */
  readonly verified: boolean;
}

const good = Buffer.from('an artifact');
const sha256 = createHash('sha256').update(good).digest('hex');

/** A field of protobuf that has a length. */
function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}

const release = Buffer.concat([field(1, '1.0.0'), field(5, Buffer.from(sha256, 'hex'))]);
const provider = 'terraform-provider-nail_1.0.0_linux_amd64.zip';

const registries: readonly Registry[] = [
  {
    ecosystem: 'nuget',
    index: '/v3/index.json',
    document: (upstream) =>
      JSON.stringify({
        resources: [{ '@id': `${upstream}/flat/`, '@type': 'PackageBaseAddress/3.0.0' }],
      }),
    follow: (text) => `${JSON.parse(text).resources[0]['@id']}nail/1.0.0/nail.1.0.0.nupkg`,
    artifact: '/flat/nail/1.0.0/nail.1.0.0.nupkg',
    verified: false,
  },
  {
    ecosystem: 'helm',
    index: '/index.yaml',
    document: (_upstream, files) =>
      `entries:\n  nail:\n  - digest: ${sha256}\n    urls:\n    - ${files}/nail-1.0.0.tgz\n`,
    follow: (text) => /- (http.*)/.exec(text)?.[1] ?? '',
    artifact: '/nail-1.0.0.tgz',
    elsewhere: true,
    verified: true,
  },
  {
    ecosystem: 'terraform',
    index: '/registry.terraform.io/acme/nail/1.0.0.json',
    document: () =>
      JSON.stringify({ archives: { linux_amd64: { url: provider, hashes: [`zh:${sha256}`] } } }),
    follow: (text, url) => new URL(JSON.parse(text).archives.linux_amd64.url, url).href,
    artifact: `/registry.terraform.io/acme/nail/${provider}`,
    verified: true,
  },
  {
    ecosystem: 'hex',
    index: '/packages/nail',
    document: () => gzipSync(field(1, field(1, release))),
    follow: (_text, url) => new URL('../tarballs/nail-1.0.0.tar', url).href,
    artifact: '/tarballs/nail-1.0.0.tar',
    verified: true,
  },
  {
    ecosystem: 'conda',
    index: '/forge/noarch/repodata.json',
    document: () => JSON.stringify({ 'packages.conda': { 'nail-1.0-0.conda': { sha256 } } }),
    follow: (_text, url) => new URL('nail-1.0-0.conda', url).href,
    artifact: '/forge/noarch/nail-1.0-0.conda',
    verified: true,
  },
];

async function setup({ ecosystem, index, document, follow, artifact, elsewhere }: Registry) {
  const [upstream, files] = [await httpOrigin(), await httpOrigin()];
  const headers = { 'Cache-Control': 'max-age=600' };
  upstream.serve(index, { body: document(upstream.url, files.url), headers });
  const serve = (body: Buffer) => (elsewhere ? files : upstream).serve(artifact, { body });
  serve(good);
  const hosts = [new URL(files.url).host];
  const gateway = await testGateway({
    mounts: [{ path: '/x', ecosystem, url: upstream.url, redirects: 'follow', hosts }],
  });
  const install = async () => {
    const found = await gateway.get(`/x${index}`);
    const url = follow(found.body.toString(), `${gateway.url}/x${index}`);
    expect(url.startsWith(`${gateway.url}/x/`)).toBe(true);
    return gateway.get(url.slice(gateway.url.length));
  };
  const origins: readonly HttpOrigin[] = [upstream, files];
  const targets = () => origins.flatMap(({ requests }) => requests.map(({ target }) => target));
  const close = () => Promise.all(origins.map((origin) => origin.close()));
  return { serve, install, targets, close };
}

describe.each(registries.map((registry) => [registry.ecosystem, registry] as const))(
  '%s',
  (_name, registry) => {
    test('is served cold, and warm while its upstream is off', async () => {
      const { install, close } = await setup(registry);
      expect((await install()).body).toEqual(good);
      await close();
      const warm = await install();
      expect([warm.status, warm.body]).toEqual([200, good]);
    });

    test('to several at once, each file asked for once', async () => {
      const { install, targets } = await setup(registry);
      const answers = await Promise.all([install(), install(), install()]);
      for (const { body } of answers) expect(body).toEqual(good);
      expect([...targets()].sort()).toEqual([registry.index, registry.artifact].sort());
    });
  },
);

test.each(
  registries
    .filter(({ verified }) => verified)
    .map((registry) => [registry.ecosystem, registry] as const),
)('%s: what is not what its index says is refused', async (_name, registry) => {
  const { install, serve } = await setup(registry);
  serve(Buffer.from('an artifacT'));
  const refused = await install();
  expect(refused.status).toBe(502);
  expect(refused.field('proxy-status')).toContain('digest_mismatch');
  serve(good);
  expect((await install()).body).toEqual(good);
});
