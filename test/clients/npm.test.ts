import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { isolatedIfPossible } from './support/isolated.ts';
import {
  checkout,
  type NpmProject,
  type NpmProjectOptions,
  npmProject,
} from './support/npm-project.ts';
import {
  corrupted,
  type NpmRegistry,
  npmRegistry,
  packageFolder,
  tarballPath,
} from './support/npm-registry.ts';
import { nail, toolPackages } from './support/npm-tools.ts';
import { run } from './support/run.ts';
import { skipWithout } from './support/tools.ts';

const dependencies = { '@tools/hammer': '^0.3.0', nail: '1' };
const wholeTree = ['@tools/hammer 0.3.1', 'board 2.1.0', 'nail 1.0.0'];

async function installedTree(project: NpmProject): Promise<string[]> {
  return Promise.all(toolPackages.map(({ name }) => project.installed(name))).then((all) =>
    all.sort(),
  );
}

function gatewayFor(
  registry: NpmRegistry,
  mount: Readonly<Record<string, unknown>> = {},
): Promise<GatewayProcess> {
  const upstreams = [{ url: registry.origin.url }];
  return gatewayProcess({ mounts: [{ path: '/npm', ecosystem: 'npm', upstreams, ...mount }] });
}

/** A user of the gateway, who reaches nothing else. */
async function through(
  gateway: GatewayProcess,
): Promise<Required<Pick<NpmProjectOptions, 'registry' | 'network'>>> {
  return { registry: `${gateway.url}/npm`, network: await isolatedIfPossible(gateway.url) };
}

/** The registry that npm has built in, as npm says. */
async function builtInRegistry(): Promise<string> {
  const none = { HOME: '/nonexistent', npm_config_userconfig: '/nonexistent/.npmrc' };
  const { output } = await run('npm', ['config', 'get', 'registry'], { cwd: '/', env: none });
  return output.trim().replace(/\/$/, '');
}

describe.skipIf(skipWithout('npm'))('npm', client('npm'), () => {
  test(
    'installs, and again from an empty cache while the upstream is switched off',
    shows('cold', 'warm'),
    async () => {
      const registry = await npmRegistry(toolPackages);
      const gateway = await gatewayFor(registry);
      const options = await through(gateway);

      const first = await npmProject(dependencies, options);
      await first.npm('install');
      expect(await installedTree(first)).toEqual(wholeTree);
      expect(registry.requests('tarball')).toHaveLength(3);
      expect(registry.requests('document')).toHaveLength(3);
      const cold = await gateway.stats();

      await registry.origin.close();
      const byLockfile = await checkout(first, options);
      await byLockfile.npm('ci');
      expect(await installedTree(byLockfile)).toEqual(wholeTree);
      const byRanges = await npmProject(dependencies, options);
      await byRanges.npm('install');
      expect(await installedTree(byRanges)).toEqual(wholeTree);
      expect(await byRanges.lockfile()).toBe(await first.lockfile());

      const warm = await gateway.stats();
      expect(warm.traffic.upstreams).toEqual(cold.traffic.upstreams);
      expect(warm.traffic.requests.byOutcome.hit).toBe(9);
      await gateway.stop();
    },
  );

  test('keeps the cache when the gateway is started anew', async () => {
    const registry = await npmRegistry(toolPackages);
    const upstreams = [{ url: registry.origin.url }];
    const mounts = [{ path: '/npm', ecosystem: 'npm', upstreams }];
    const data = `${await packageFolder(nail)}/data`;
    const before = await gatewayProcess({ mounts, data });
    const first = await npmProject(dependencies, await through(before));
    await first.npm('install');
    await before.stop();
    await registry.origin.close();

    const after = await gatewayProcess({ mounts, data });
    const second = await npmProject(dependencies, await through(after));
    await second.npm('install');
    expect(await installedTree(second)).toEqual(wholeTree);
    expect((await after.kind('npm', 'index')).upstreamRequests).toBe(0);
    expect((await after.kind('npm', 'artifact')).upstreamRequests).toBe(0);
  });

  test(
    'writes the same lockfile as without the gateway, where tarballs keep their host',
    shows('lockfile'),
    async () => {
      const registry = await npmRegistry(toolPackages, { tarballBase: await builtInRegistry() });
      const gateway = await gatewayFor(registry, { tarballs: 'canonical' });
      const direct = await npmProject(dependencies, { registry: registry.origin.url });
      await direct.npm('install');
      const mounted = await npmProject(dependencies, await through(gateway));
      await mounted.npm('install');
      expect(await mounted.lockfile()).toBe(await direct.lockfile());
      expect(await installedTree(mounted)).toEqual(wholeTree);
      // It did not go past the gateway for them.
      expect((await gateway.kind('npm', 'artifact')).requests).toBe(3);
    },
  );

  test(
    'writes the same lockfile as without the gateway, where it names no hosts',
    shows('lockfile'),
    async () => {
      const registry = await npmRegistry(toolPackages);
      const gateway = await gatewayFor(registry);
      const npmrc = ['omit-lockfile-registry-resolved=true'];
      const direct = await npmProject(dependencies, { registry: registry.origin.url, npmrc });
      await direct.npm('install');
      const mounted = await npmProject(dependencies, { ...(await through(gateway)), npmrc });
      await mounted.npm('install');
      expect(await mounted.lockfile()).toBe(await direct.lockfile());
      expect((await gateway.kind('npm', 'artifact')).requests).toBe(3);
    },
  );

  test(
    'costs a 304 a document and no tarball once the documents are stale',
    shows('stale'),
    async () => {
      const registry = await npmRegistry(toolPackages, { cacheControl: 'public, max-age=0' });
      const gateway = await gatewayFor(registry);
      const options = await through(gateway);
      await (await npmProject(dependencies, options)).npm('install');
      const documents = registry.requests('document').length;

      const second = await npmProject(dependencies, options);
      await second.npm('install');
      expect(await installedTree(second)).toEqual(wholeTree);
      expect(registry.requests('tarball')).toHaveLength(3);
      const later = registry.requests('document').slice(documents);
      expect(later.map(({ status }) => status)).toEqual([304, 304, 304]);
      expect((await gateway.stats()).traffic.requests.byOutcome.revalidated).toBe(3);
    },
  );

  test('publishes through the gateway, and the next install gets it at once', async () => {
    const registry = await npmRegistry([nail]);
    registry.open('@tools/saw');
    const gateway = await gatewayFor(registry);
    const host = gateway.url.replace('http:', '');
    const options = {
      ...(await through(gateway)),
      npmrc: [`${host}/npm/:_authToken=a-token`],
    };
    const before = await npmProject({ nail: '1' }, options);
    await before.npm('install');
    expect(await before.installed('nail')).toBe('nail 1.0.0');

    await before.npm('publish', await packageFolder({ name: 'nail', version: '1.1.0' }));
    await before.npm(
      'publish',
      '--access=public',
      await packageFolder({ name: '@tools/saw', version: '1.0.0' }),
    );
    const puts = registry.origin.requests.filter(({ method }) => method === 'PUT');
    expect(puts.map(({ target, status }) => [target, status])).toEqual([
      ['/nail', 201],
      ['/@tools%2fsaw', 201],
    ]);
    expect(puts[0]?.headers).toContain('Bearer a-token');

    const after = await npmProject({ nail: '1', '@tools/saw': '1' }, options);
    await after.npm('install');
    expect(await after.installed('nail')).toBe('nail 1.1.0');
    expect(await after.installed('@tools/saw')).toBe('@tools/saw 1.0.0');
  });

  test(
    'refuses a tarball that was corrupted upstream, and takes the right one afterwards',
    shows('corrupted'),
    async () => {
      const registry = await npmRegistry([nail]);
      const gateway = await gatewayFor(registry);
      const options = await through(gateway);
      const good = registry.tarball(nail.name, nail.version);
      registry.serveTarball(nail, corrupted(good));

      const project = await npmProject({ nail: '1' }, options);
      const { code, errors } = await project.attempt('install', '--fetch-retries=0');
      expect(code).not.toBe(0);
      expect(errors).toContain('502');

      registry.serveTarball(nail, good);
      await project.npm('install');
      expect(await project.installed('nail')).toBe('nail 1.0.0');
    },
  );

  test(
    'by a lockfile alone keeps no tarball that was corrupted upstream, and its own retry gets it anew',
    shows('corrupted'),
    async () => {
      const registry = await npmRegistry([nail]);
      const direct = await npmProject({ nail: '1' }, { registry: registry.origin.url });
      await direct.npm('install');
      const gateway = await gatewayFor(registry);
      const options = await through(gateway);
      const project = await npmProject({ nail: '1' }, options);
      const lockfile = await direct.lockfile();
      const own = lockfile.replaceAll(registry.origin.url, options.registry);
      await writeFile(join(project.folder, 'package-lock.json'), own);
      const good = registry.tarball(nail.name, nail.version);
      registry.serveTarball(nail, corrupted(good));
      const before = registry.origin.requests.length;
      const { code, errors } = await project.attempt('ci');
      expect(code).not.toBe(0);
      expect(errors).toContain('EINTEGRITY');
      const asked = registry.origin.requests.slice(before).map(({ target }) => target);
      expect(asked).toEqual([tarballPath(nail), tarballPath(nail)]);
      registry.serveTarball(nail, good);
      await project.npm('ci');
      expect(await project.installed('nail')).toBe('nail 1.0.0');
    },
  );

  test(
    'of several at once each gets all, and the upstream gives everything once',
    shows('concurrent'),
    async () => {
      const registry = await npmRegistry(toolPackages);
      const gateway = await gatewayFor(registry);
      const options = await through(gateway);
      const projects = await Promise.all(
        Array.from({ length: 3 }, () => npmProject(dependencies, options)),
      );
      await Promise.all(projects.map((project) => project.npm('install')));
      for (const project of projects) expect(await installedTree(project)).toEqual(wholeTree);
      expect(registry.origin.requests).toHaveLength(6);
    },
  );

  test('finds the same entries through the gateway as its proxy', async () => {
    const registry = await npmRegistry(toolPackages);
    const gateway = await gatewayFor(registry);
    await (await npmProject(dependencies, await through(gateway))).npm('install');
    await registry.origin.close();

    const npmrc = [`proxy=${gateway.url}`, 'noproxy='];
    const { network } = await through(gateway);
    const registryUrl = registry.origin.url;
    const proxied = await npmProject(dependencies, { registry: registryUrl, npmrc, network });
    await proxied.npm('install');
    expect(await installedTree(proxied)).toEqual(wholeTree);
    expect((await gateway.stats()).traffic.requests.bySurface['forward-proxy']).toBe(6);
  });

  test('gets a package that does not exist as just that', async () => {
    const registry = await npmRegistry([nail]);
    const gateway = await gatewayFor(registry);
    const project = await npmProject({ absent: '1' }, await through(gateway));
    const { code, errors } = await project.attempt('install');
    expect(code).not.toBe(0);
    expect(errors).toContain('E404');
  });
});
