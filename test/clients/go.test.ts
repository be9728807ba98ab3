import { describe, expect, test } from 'vitest';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayOf } from './support/gateway-process.ts';
import { serveChecksums } from './support/go-checksums.ts';
import { type GoProject, goProject } from './support/go-project.ts';
import { type GoModule, goProxy, zipOf } from './support/go-proxy.ts';
import { isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { isNamed, namedHost } from './support/named.ts';
import { attempt } from './support/run.ts';

const nail = { path: 'example.com/nail', version: 'v1.0.0' };
const modules: readonly GoModule[] = [
  nail,
  { path: 'example.com/board', version: 'v0.2.1', requires: { 'example.com/nail': 'v1.0.0' } },
  { path: 'example.com/hammer', version: 'v1.3.0', requires: { 'example.com/board': 'v0.2.1' } },
];
const zipPath = '/example.com/nail/@v/v1.0.0.zip';

async function through(
  gateway: GatewayProcess,
  module: GoModule = nail,
  database?: string,
): Promise<GoProject> {
  return goProject(`${gateway.url}/go`, await isolatedNetwork(gateway.url), module, database);
}

const [, , hammer = nail] = modules;
const wholeTree = ['board@v0.2.1', 'hammer@v1.3.0', 'nail@v1.0.0'];

describe.skipIf(skipUnisolated('go'))('go', client('go'), () => {
  test(
    'downloads, and again from an empty cache while the upstream is switched off',
    shows('cold', 'warm'),
    async () => {
      const proxy = await goProxy(modules);
      const gateway = await gatewayOf('go', proxy.origin);
      const first = await through(gateway, hammer);
      await first.go('mod', 'download', 'all');
      expect(await first.downloaded()).toEqual(wholeTree);
      const versions = ['list', '-m', '-versions', 'example.com/nail'];
      expect((await first.go(...versions)).output).toContain('v1.0.0');
      const cold = await gateway.stats();

      await proxy.origin.close();
      const second = await through(gateway, hammer);
      await second.go('mod', 'download', 'all');
      expect(await second.downloaded()).toEqual(wholeTree);
      expect((await second.go(...versions)).output).toContain('v1.0.0');
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      await gateway.stop();
    },
  );

  test('writes the same go.mod and go.sum as without the gateway', shows('lockfile'), async () => {
    const proxy = await goProxy(modules);
    const gateway = await gatewayOf('go', proxy.origin);
    const direct = await goProject(proxy.origin.url, { attempt }, hammer);
    await direct.go('mod', 'tidy');
    const mounted = await through(gateway, hammer);
    await mounted.go('mod', 'tidy');
    for (const name of ['go.mod', 'go.sum']) {
      expect(await mounted.read(name)).toBe(await direct.read(name));
    }
    expect(await mounted.read('go.sum')).toContain('example.com/hammer v1.3.0 h1:');
  });

  test(
    'refuses a zip that was corrupted upstream, by its own go.sum',
    shows('corrupted'),
    async () => {
      const proxy = await goProxy([nail]);
      const gateway = await gatewayOf('go', proxy.origin);
      const direct = await goProject(proxy.origin.url, { attempt }, nail);
      await direct.go('mod', 'tidy');
      const sums = await direct.read('go.sum');
      // Another file under the same name: whole, but not what was published.
      proxy.serve(nail, zipOf({ ...nail, requires: { 'example.com/other': 'v1.0.0' } }));
      const mounted = await through(gateway);
      await mounted.write('go.sum', sums);
      const { code, errors } = await mounted.attempt('mod', 'download');
      expect(code).not.toBe(0);
      expect(errors).toContain('checksum mismatch');

      // The gateway cannot know: a module's checksum is not that of its file. It is told.
      proxy.serve(nail, zipOf(nail));
      const url = encodeURIComponent(proxy.origin.url + zipPath);
      await fetch(`${gateway.adminUrl}/api/entries?url=${url}`, { method: 'DELETE' });
      const again = await through(gateway);
      await again.write('go.sum', sums);
      await again.go('mod', 'download');
      expect(await again.downloaded()).toEqual(['nail@v1.0.0']);
    },
  );

  test('verifies by a checksum database through the gateway, which keeps what that said', async () => {
    const proxy = await goProxy([nail]);
    const database = serveChecksums(proxy, 'sum.example.test', nail);
    const gateway = await gatewayOf('go', proxy.origin);
    const first = await through(gateway, nail, database);
    await first.go('mod', 'tidy');
    const asked = proxy.targets().filter((target) => target.startsWith('/sumdb/'));
    expect(asked.map((target) => target.replace('/sumdb/sum.example.test/', ''))).toEqual(
      expect.arrayContaining(['supported', 'lookup/example.com/nail@v1.0.0', 'tile/8/0/000.p/1']),
    );

    await proxy.origin.close();
    const cold = await gateway.stats();
    const second = await through(gateway, nail, database);
    await second.go('mod', 'tidy');
    expect(await second.read('go.sum')).toBe(await first.read('go.sum'));
    expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
  });

  test('refuses by the checksum database what was never published', async () => {
    const proxy = await goProxy([nail]);
    const database = serveChecksums(proxy, 'sum.example.test', nail);
    proxy.serve(nail, zipOf({ ...nail, requires: { 'example.com/other': 'v1.0.0' } }));
    const { code, errors } = await (
      await through(await gatewayOf('go', proxy.origin), nail, database)
    ).attempt('mod', 'download', 'all');
    expect(code).not.toBe(0);
    expect(errors).toContain('SECURITY ERROR');
  });

  test(
    'gets no zip that is cut off, and the whole one afterwards',
    shows('corrupted'),
    async () => {
      const proxy = await goProxy([nail]);
      const gateway = await gatewayOf('go', proxy.origin);
      const whole = zipOf(nail);
      proxy.origin.handle(zipPath, (_request, response) => {
        response
          .writeHead(200, { 'Content-Length': whole.length })
          .write(whole.subarray(0, -9), () => {
            response.destroy();
          });
      });
      const mounted = await through(gateway);
      expect((await mounted.attempt('mod', 'download')).code).not.toBe(0);
      proxy.serve(nail, whole);
      await mounted.go('mod', 'download');
      expect(await mounted.downloaded()).toEqual(['nail@v1.0.0']);
    },
  );

  test(
    'of several at once each gets all, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const proxy = await goProxy(modules);
      const gateway = await gatewayOf('go', proxy.origin);
      const projects = await Promise.all(Array.from({ length: 4 }, () => through(gateway, hammer)));
      await Promise.all(projects.map((each) => each.go('mod', 'download', 'all')));
      for (const each of projects) expect(await each.downloaded()).toEqual(wholeTree);
      expect(new Set(proxy.targets()).size).toBe(proxy.targets().length);
    },
  );

  test('costs a conditional request a list once all is stale', shows('stale'), async () => {
    const proxy = await goProxy(modules, agedOrigin);
    const gateway = await gatewayOf('go', proxy.origin);
    const get = async (): Promise<void> => {
      const made = await through(gateway, hammer);
      await made.go('mod', 'download', 'all');
      await made.go('list', '-m', '-versions', 'example.com/nail');
      expect(await made.downloaded()).toEqual(wholeTree);
    };
    await get();
    const cold = proxy.origin.requests.length;
    await get();
    expectValidated(proxy.origin.requests.slice(cold), ['/example.com/nail/@v/list']);
  });

  test.skipIf(!isNamed)(
    'through HTTPS_PROXY downloads, and again from an empty cache while the upstream is off',
    shows('HTTPS_PROXY'),
    async () => {
      const named = await namedHost();
      const proxy = await goProxy(modules, named.origin);
      const gateway = await named.gateway('go', proxy.origin.url);
      const network = await isolatedNetwork(gateway.url);
      const env = { HTTPS_PROXY: gateway.url, SSL_CERT_FILE: named.ca };
      const get = async (): Promise<string> => {
        const made = await goProject(proxy.origin.url, network, hammer, 'off', env);
        await made.go('mod', 'tidy');
        expect(await made.downloaded()).toEqual(wholeTree);
        return made.read('go.sum');
      };
      const sums = await get();
      const cold = await gateway.stats();
      await proxy.origin.close();
      expect(await get()).toBe(sums);
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    },
  );

  test.each([404, 410])(
    'goes on to its next proxy after a %i, which keeps its meaning',
    async (status) => {
      const proxy = await goProxy([nail]);
      const path = '/example.com/gone/@v/v1.0.0.info';
      proxy.origin.serve(path, {
        status,
        body: 'not found: gone',
        headers: { 'Cache-Control': 'max-age=60' },
      });
      const gateway = await gatewayOf('go', proxy.origin);
      const network = await isolatedNetwork(gateway.url);
      const list = async () => {
        const made = await goProject(`${gateway.url}/go,off`, network, nail);
        return made.attempt('mod', 'download', 'example.com/gone@v1.0.0');
      };
      // It has gone on from the gateway to the next one, which is `off`.
      for (const each of [await list(), await list()]) expect(each.errors).toContain('GOPROXY=off');
      expect(proxy.targets().filter((target) => target === path)).toHaveLength(1);
      const answer = await fetch(`${gateway.url}/go${path}`);
      expect([answer.status, await answer.text()]).toEqual([status, 'not found: gone']);
    },
  );
});
