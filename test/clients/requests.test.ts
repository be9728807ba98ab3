import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';

/** What a tool that can be had neither from Debian nor from npm asks for, in its order. */
interface Requests {
  /** The row of the table. */
  readonly tool: string;
  readonly ecosystem: string;
  /** Why the columns that need the tool itself are empty. */
  readonly absent: string;
  /** Below the upstream. */
  readonly index: string;
  readonly file: string;
  /** The index, which leads to the file at this URL with this SHA-256. */
  readonly document: (url: string, sha256: string) => string;
  /** Whether the index tells a digest. */
  readonly verified: boolean;
}

const good = 'a package';
const table: readonly Requests[] = [
  {
    tool: 'helm (its requests)',
    ecosystem: 'helm',
    absent: 'Debian has no helm',
    index: '/index.yaml',
    file: '/nail-1.0.0.tgz',
    document: (url, digest) =>
      `apiVersion: v1\nentries:\n  nail:\n  - digest: ${digest}\n    name: nail\n    urls:\n    - ${url}\n    version: 1.0.0\n`,
    verified: true,
  },
  {
    tool: 'conda (its requests)',
    ecosystem: 'conda',
    absent: 'Debian has neither conda nor micromamba',
    index: '/main/noarch/repodata.json',
    file: '/main/noarch/nail-1.0-0.conda',
    document: (_url, sha256) =>
      JSON.stringify({ 'packages.conda': { 'nail-1.0-0.conda': { sha256 } } }),
    verified: true,
  },
  {
    tool: 'nuget (its requests)',
    ecosystem: 'nuget',
    absent: 'the nuget that Debian has does not know version 3 of the protocol',
    index: '/v3/index.json',
    file: '/flat/nail/1.0.0/nail.1.0.0.nupkg',
    document: (url) =>
      JSON.stringify({
        resources: [
          { '@id': url.replace('nail/1.0.0/nail.1.0.0.nupkg', ''), '@type': 'PackageBaseAddress' },
        ],
      }),
    verified: false,
  },
];

function serve(origin: HttpOrigin, { index, file, document }: Requests, body = good): void {
  const sha256 = createHash('sha256').update(good).digest('hex');
  const headers = { 'Cache-Control': 'public, max-age=600' };
  origin.serve(index, { body: document(origin.url + file, sha256), headers });
  origin.serve(file, { body });
}

function gatewayFor({ ecosystem }: Requests, { url }: HttpOrigin): Promise<GatewayProcess> {
  return gatewayProcess({ mounts: [{ path: '/it', ecosystem, upstreams: [{ url }] }] });
}

/** Gets the index and then the file; what came of the file. */
async function install(gateway: GatewayProcess, { index, file }: Requests): Promise<string> {
  const text = await (await fetch(`${gateway.url}/it${index}`)).text();
  // Where it names the file, it names it at the gateway.
  for (const [url] of text.matchAll(/https?:[^"\s]+/g)) expect(url).toContain(gateway.url);
  const answer = await fetch(`${gateway.url}/it${file}`);
  return answer.ok ? answer.text() : `${answer.status}`;
}

describe.each(table)('$tool', (requests) => {
  const { tool, absent, index, file, verified } = requests;
  const cannot = {
    lockfile: absent,
    HTTPS_PROXY: absent,
    ...(!verified && { corrupted: 'its index tells no digest: the tool verifies signatures' }),
  };

  describe('by hand', client(tool, cannot), () => {
    test('cold, and again while the upstream is off', shows('cold', 'warm'), async () => {
      const origin = await httpOrigin();
      serve(origin, requests);
      const gateway = await gatewayFor(requests, origin);
      expect(await install(gateway, requests)).toBe(good);
      await origin.close();
      const cold = await gateway.stats();
      expect(await install(gateway, requests)).toBe(good);
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    });

    test('one conditional request once all is stale', shows('stale'), async () => {
      const origin = await agedOrigin();
      serve(origin, requests);
      const gateway = await gatewayFor(requests, origin);
      await install(gateway, requests);
      const cold = origin.requests.length;
      expect(await install(gateway, requests)).toBe(good);
      expectValidated(origin.requests.slice(cold), [index]);
    });

    test.runIf(verified)('a corrupted file is refused', shows('corrupted'), async () => {
      const origin = await httpOrigin();
      serve(origin, requests, 'A package');
      const gateway = await gatewayFor(requests, origin);
      expect(await install(gateway, requests)).toBe('502');
      serve(origin, requests);
      expect(await install(gateway, requests)).toBe(good);
    });

    test('several at once, each file once', shows('concurrent'), async () => {
      const origin = await httpOrigin();
      serve(origin, requests);
      const gateway = await gatewayFor(requests, origin);
      const all = await Promise.all([1, 2, 3].map(() => install(gateway, requests)));
      expect(all).toEqual([good, good, good]);
      expect(origin.requests.map(({ target }) => target).sort()).toEqual([file, index].sort());
    });
  });
});
