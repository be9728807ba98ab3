import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { type Gem, type GemServer, gemServer, packed } from './support/gem-server.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';

const nail = { name: 'nail', version: '1.0.0' };
const gems: readonly Gem[] = [
  nail,
  { name: 'hammer', version: '2.1.0', requires: { nail: '~> 1.0' } },
];

function gatewayFor(server: GemServer): Promise<GatewayProcess> {
  const upstreams = [{ url: server.origin.url }];
  return gatewayProcess({ mounts: [{ path: '/gems', ecosystem: 'gems', upstreams }] });
}

/** A project on a machine without gems. */
class BundlerProject {
  readonly #folder: string;
  readonly #network: IsolatedNetwork;

  constructor(folder: string, network: IsolatedNetwork) {
    this.#folder = folder;
    this.#network = network;
  }

  async bundle(...args: readonly string[]): Promise<string> {
    const env = {
      HOME: this.#folder,
      BUNDLE_PATH: join(this.#folder, 'gems'),
      BUNDLE_USER_HOME: join(this.#folder, 'bundle'),
      BUNDLE_SILENCE_ROOT_WARNING: '1',
    };
    const { output } = await this.#network.run('bundle', args, { cwd: this.#folder, env });
    return output;
  }

  lockfile(): Promise<string> {
    return readFile(join(this.#folder, 'Gemfile.lock'), 'utf8');
  }
}

async function project(gateway: GatewayProcess): Promise<BundlerProject> {
  const folder = await temporaryFolder();
  const source = `source "${gateway.url}/gems/"\ngem "hammer"\n`;
  await writeFile(join(folder, 'Gemfile'), source);
  return new BundlerProject(folder, await isolatedNetwork(gateway.url));
}

describe.skipIf(skipUnisolated('bundle'))('bundler', () => {
  test('gets what was appended to the index by ranges, and all of it while the upstream is off', async () => {
    const server = await gemServer(gems);
    const gateway = await gatewayFor(server);
    const first = await project(gateway);
    await first.bundle('install');
    expect(await first.lockfile()).toContain('nail (1.0.0)');

    const newer = { ...nail, version: '1.1.0' };
    server.publish(newer, await packed(newer));
    for (const path of ['/versions', '/info/nail']) {
      const url = encodeURIComponent(server.origin.url + path);
      await fetch(`${gateway.adminUrl}/api/entries?url=${url}`, { method: 'DELETE' });
    }
    await first.bundle('update', 'nail');
    expect(await first.lockfile()).toContain('nail (1.1.0)');
    // The client asked for the end of what it had, and the gateway for the whole.
    const parts = gateway.log.filter(
      ({ target, status }) => target === '/gems/versions' && status === 206,
    );
    expect(parts).toHaveLength(1);
    const ranges = server.origin.requests.flatMap(({ headers }) => headers);
    expect(ranges).not.toContain('Range');

    await server.origin.close();
    const second = await project(gateway);
    await second.bundle('install');
    expect(await second.lockfile()).toBe(await first.lockfile());
    await gateway.stop();
  });
});
