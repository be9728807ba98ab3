import { describe, expect, test } from 'vitest';
import { httpsOrigin } from '../support/http-origin.ts';
import { client as row, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayOf } from './support/gateway-process.ts';
import { intercepting } from './support/intercepting.ts';
import { isolatedIfPossible, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { type JsClient, jsClients, skipWithoutJsTools } from './support/js-clients.ts';
import {
  type JsProject,
  type JsProjectOptions,
  jsCheckout,
  jsProject,
} from './support/js-project.ts';
import { corrupted, type NpmRegistry, npmRegistry } from './support/npm-registry.ts';
import { nail, toolPackages } from './support/npm-tools.ts';

const dependencies = { '@tools/hammer': '^0.3.0', nail: '^1.0.0' };

async function installed(project: JsProject): Promise<string[]> {
  return [await project.installed('@tools/hammer'), await project.installed('nail')];
}
const whole = ['@tools/hammer 0.3.1', 'nail 1.0.0'];

/** A user of the mount, who reaches nothing else. */
async function through(gateway: GatewayProcess, client: JsClient): Promise<JsProjectOptions> {
  const network = await isolatedIfPossible(gateway.url);
  return { client, registry: `${gateway.url}/npm`, network };
}

function statuses(requests: NpmRegistry['origin']['requests']): (number | undefined)[] {
  return requests.map(({ status }) => status);
}

describe.skipIf(skipWithoutJsTools()).each(jsClients)('$id', row(), (client) => {
  test(
    'installs, and again from an empty cache while the upstream is switched off',
    shows('cold', 'warm'),
    async () => {
      const registry = await npmRegistry(toolPackages);
      const gateway = await gatewayOf('npm', registry.origin);
      const options = await through(gateway, client);
      const first = await jsProject(dependencies, options);
      await first.install();
      expect(await installed(first)).toEqual(whole);
      expect(registry.requests('tarball')).toHaveLength(3);
      const cold = await gateway.stats();

      await registry.origin.close();
      const byLockfile = await jsCheckout(first, dependencies, options);
      await byLockfile.installLocked();
      expect(await installed(byLockfile)).toEqual(whole);
      const byRanges = await jsProject(dependencies, options);
      await byRanges.install();
      expect(await installed(byRanges)).toEqual(whole);
      expect(await byRanges.lockfile()).toBe(await first.lockfile());
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      await gateway.stop();
    },
  );

  test(
    'costs one conditional request a document and no tarball once the documents are stale',
    shows('stale'),
    async () => {
      const registry = await npmRegistry(toolPackages, { cacheControl: 'public, max-age=0' });
      const gateway = await gatewayOf('npm', registry.origin);
      const options = await through(gateway, client);
      await (await jsProject(dependencies, options)).install();
      const documents = registry.requests('document').length;

      const second = await jsProject(dependencies, options);
      await second.install();
      expect(await installed(second)).toEqual(whole);
      expect(registry.requests('tarball')).toHaveLength(3);
      const later = registry.requests('document').slice(documents);
      expect(statuses(later)).toEqual([304, 304, 304]);
      expect(new Set(later.map(({ target }) => target)).size).toBe(3);
    },
  );

  test(
    'gets no tarball that was corrupted upstream, and the right one afterwards',
    shows('corrupted'),
    async () => {
      const registry = await npmRegistry([nail]);
      const gateway = await gatewayOf('npm', registry.origin);
      const options = await through(gateway, client);
      const good = registry.tarball(nail.name, nail.version);
      registry.serveTarball(nail, corrupted(good));
      const { code } = await (await jsProject({ nail: '^1.0.0' }, options)).attemptInstall();
      expect(code).not.toBe(0);
      expect(gateway.log).toContainEqual(
        expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
      );

      registry.serveTarball(nail, good);
      const again = await jsProject({ nail: '^1.0.0' }, options);
      await again.install();
      expect(await again.installed('nail')).toBe('nail 1.0.0');
    },
  );

  test(
    'of several at once each gets all, and the upstream gives everything once',
    shows('concurrent'),
    async () => {
      const registry = await npmRegistry(toolPackages);
      const gateway = await gatewayOf('npm', registry.origin);
      const options = await through(gateway, client);
      const projects = await Promise.all(
        Array.from({ length: 3 }, () => jsProject(dependencies, options)),
      );
      await Promise.all(projects.map((project) => project.install()));
      for (const project of projects) expect(await installed(project)).toEqual(whole);
      expect(registry.origin.requests).toHaveLength(6);
    },
  );

  test('writes the same lockfile as without the gateway', shows('lockfile'), async () => {
    const registry = await npmRegistry(toolPackages);
    const gateway = await gatewayOf('npm', registry.origin);
    const direct = await jsProject(dependencies, { client, registry: registry.origin.url });
    await direct.install();
    const mounted = await jsProject(dependencies, await through(gateway, client));
    await mounted.install();
    const lockfile = await direct.lockfile();
    // One that names hosts names the registry that the project uses: the gateway.
    const expected = client.namesHosts
      ? lockfile.replaceAll(registry.origin.url, `${gateway.url}/npm`)
      : lockfile;
    expect(await mounted.lockfile()).toBe(expected);
    expect(expected).not.toBe('');
    expect((await gateway.kind('npm', 'artifact')).requests).toBe(3);
  });

  test.skipIf(client.tunnelsAlways)(
    'finds the same entries through the gateway as its proxy',
    async () => {
      const registry = await npmRegistry(toolPackages);
      const gateway = await gatewayOf('npm', registry.origin);
      await (await jsProject(dependencies, await through(gateway, client))).install();
      await registry.origin.close();
      const options = { ...(await through(gateway, client)), registry: registry.origin.url };
      const proxied = await jsProject(dependencies, { ...options, proxy: gateway.url });
      await proxied.install();
      expect(await installed(proxied)).toEqual(whole);
      expect(await proxied.lockfile()).not.toContain(gateway.url);
    },
  );

  test.skipIf(skipUnisolated())(
    'through HTTPS_PROXY installs, again while the upstream is off, and writes the lockfile of without',
    shows('HTTPS_PROXY'),
    async () => {
      const registry = await npmRegistry(toolPackages, { origin: await httpsOrigin() });
      const url = registry.origin.url;
      const reach = { client, registry: url, cafile: false } as const;
      const direct = await jsProject(dependencies, reach);
      await direct.install();
      const { gateway, ca } = await intercepting('npm', url);
      const network = await isolatedNetwork(gateway.url);
      const options = { client, registry: url, proxy: gateway.url, cafile: ca, network };
      const first = await jsProject(dependencies, options);
      await first.install();
      expect(await installed(first)).toEqual(whole);
      expect(await first.lockfile()).toBe(await direct.lockfile());
      const cold = await gateway.stats();

      await registry.origin.close();
      const second = await jsCheckout(direct, dependencies, options);
      await second.installLocked();
      expect(await installed(second)).toEqual(whole);
      const third = await jsProject(dependencies, options);
      await third.install();
      expect(await third.lockfile()).toBe(await direct.lockfile());
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    },
  );
});
