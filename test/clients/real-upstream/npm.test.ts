import { describe, expect, test } from 'vitest';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { checkout, type NpmProject, npmProject } from '../support/npm-project.ts';
import { skipWithout } from '../support/tools.ts';
import { defaultGateway, hostTrust, report, since, upstreamTotals } from './support.ts';

/** Widely used, with a tree of more than 300 packages. */
const dependencies = {
  '@babel/preset-env': '^7.25.0',
  eslint: '^9.9.0',
  express: '^4.19.0',
  jest: '^29.7.0',
  lodash: '^4.17.0',
  react: '^18.3.0',
  webpack: '^5.94.0',
};

const resolveOnly = ['install', '--package-lock-only', '--ignore-scripts'] as const;

async function registryOf(gateway: GatewayProcess): Promise<string> {
  const mount = (await gateway.stats()).mounts.find(({ path }) => path === '/npm');
  return mount?.upstreams[0] ?? '';
}

interface LockedPackage {
  readonly resolved?: string;
  /** npm leaves out those that are for another system. */
  readonly optional?: boolean;
}

/** The tarballs that the lockfile names, each once; those that every system gets, and all. */
async function tarballsOf(project: NpmProject): Promise<{ required: number; all: number }> {
  const { packages } = JSON.parse(await project.lockfile()) as {
    packages: Record<string, LockedPackage>;
  };
  const locked = Object.values(packages);
  const count = (some: readonly LockedPackage[]): number =>
    new Set(some.flatMap(({ resolved }) => resolved ?? [])).size;
  return { required: count(locked.filter(({ optional }) => !optional)), all: count(locked) };
}

describe.skipIf(skipWithout('npm'))('npm and the registry of this host', () => {
  test('a lockfile is the same with and without the gateway, and a second npm ci asks nothing of the registry', async () => {
    const gateway = await defaultGateway();
    const registry = await registryOf(gateway);
    const options = { registry: `${gateway.url}/npm`, env: hostTrust };

    const direct = await npmProject(dependencies, { registry, env: hostTrust });
    await direct.npm(...resolveOnly);
    const through = await npmProject(dependencies, options);
    await through.npm(...resolveOnly);
    const lockfile = await through.lockfile();
    if (lockfile !== (await direct.lockfile())) {
      // Somebody may have published in between: then the registry says the same now.
      const again = await npmProject(dependencies, { registry, env: hostTrust });
      await again.npm(...resolveOnly);
      expect(lockfile).toBe(await again.lockfile());
    }
    const tarballs = await tarballsOf(through);
    expect(tarballs.required).toBeGreaterThanOrEqual(300);

    const start = await upstreamTotals(gateway, 'npm');
    const first = await checkout(through, options);
    await first.npm('ci', '--ignore-scripts');
    const afterFirst = await upstreamTotals(gateway, 'npm');
    const second = await checkout(through, options);
    await second.npm('ci', '--ignore-scripts');
    const afterSecond = await upstreamTotals(gateway, 'npm');

    report(since(start, afterFirst), since(afterFirst, afterSecond));
    expect(since(afterFirst, afterSecond)).toEqual({ artifacts: 0, indexes: 0, bytes: 0 });
    // All of them came through the gateway, and each was fetched once.
    const { artifacts } = since(start, afterFirst);
    expect(artifacts).toBeGreaterThanOrEqual(tarballs.required);
    expect(artifacts).toBeLessThanOrEqual(tarballs.all);
    expect(await second.lockfile()).toBe(lockfile);
  });

  test('documents are asked for again only when they are stale', async () => {
    const gateway = await defaultGateway();
    const options = { registry: `${gateway.url}/npm`, env: hostTrust };
    const few = { express: '^4.19.0' };
    const first = await npmProject(few, options);
    await first.npm(...resolveOnly);
    const cold = gateway.log.length;
    const second = await npmProject(few, options);
    await second.npm(...resolveOnly);
    expect(await second.lockfile()).toBe(await first.lockfile());
    const reasons = gateway.log.slice(cold).map(({ fwd }) => fwd ?? 'fresh');
    expect(reasons.length).toBeGreaterThan(50);
    expect(reasons.filter((reason) => reason !== 'fresh' && reason !== 'stale')).toEqual([]);
  });
});
