import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { cargoProject, rustup } from './support/cargo-project.ts';
import { type CargoRegistry, type Crate, cargoRegistry, packed } from './support/cargo-registry.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { attempt, type Finished } from './support/run.ts';

const nail = { name: 'nail', version: '1.0.0' };
const crates: readonly Crate[] = [
  nail,
  { name: 'board', version: '2.1.0', dependencies: { nail: '^1.0' } },
  { name: 'hammer', version: '0.3.1', dependencies: { board: '2', nail: '~1.0' } },
];
const wholeTree = ['board-2.1.0', 'hammer-0.3.1', 'nail-1.0.0'];

function gatewayFor(registry: CargoRegistry): Promise<GatewayProcess> {
  const mount = { path: '/cargo', ecosystem: 'cargo', upstreams: [{ url: registry.index.url }] };
  return gatewayProcess({ mounts: [{ ...mount, hosts: [`127.0.0.1:${registry.crates.port}`] }] });
}

/** A project on a machine where nothing has been downloaded yet. */
class CargoProject {
  readonly #folder: string;
  readonly #network: Pick<IsolatedNetwork, 'attempt'>;

  constructor(folder: string, network: Pick<IsolatedNetwork, 'attempt'>) {
    this.#folder = folder;
    this.#network = network;
  }

  /** Downloads all that the project needs; with what Cargo said where that fails. */
  async fetch(...args: readonly string[]): Promise<Finished> {
    const finished = await this.attempt(...args);
    if (finished.code !== 0) throw new Error(finished.errors);
    return finished;
  }

  attempt(...args: readonly string[]): Promise<Finished> {
    const env = { HOME: this.#folder, CARGO_HOME: join(this.#folder, 'home'), ...rustup() };
    return this.#network.attempt('cargo', ['fetch', ...args], { cwd: this.#folder, env });
  }

  /** The crates that are unpacked. */
  async fetched(): Promise<string[]> {
    const sources = join(this.#folder, 'home/registry/src');
    const [registry = ''] = await readdir(sources);
    return (await readdir(join(sources, registry))).sort();
  }

  lockfile(): Promise<string> {
    return readFile(join(this.#folder, 'Cargo.lock'), 'utf8');
  }

  async copyLockfile(from: CargoProject): Promise<void> {
    await writeFile(join(this.#folder, 'Cargo.lock'), await from.lockfile());
  }
}

async function through(
  gateway: GatewayProcess,
  dependencies: Readonly<Record<string, string>> = { hammer: '0.3' },
): Promise<CargoProject> {
  const folder = await cargoProject(`${gateway.url}/cargo`, dependencies);
  return new CargoProject(folder, await isolatedNetwork(gateway.url));
}

describe.skipIf(skipUnisolated('cargo', 'tar'))('cargo', client('cargo'), () => {
  test(
    'fetches, and again from an empty cache while the upstream is switched off',
    shows('cold', 'warm'),
    async () => {
      const registry = await cargoRegistry(crates);
      const gateway = await gatewayFor(registry);
      const first = await through(gateway);
      await first.fetch();
      expect(await first.fetched()).toEqual(wholeTree);
      expect(registry.crates.requests).toHaveLength(3);
      const cold = await gateway.stats();

      await registry.close();
      const second = await through(gateway);
      await second.fetch();
      expect(await second.fetched()).toEqual(wholeTree);
      const byLockfile = await through(gateway);
      await byLockfile.copyLockfile(first);
      await byLockfile.fetch('--locked');
      expect(await byLockfile.fetched()).toEqual(wholeTree);
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      await gateway.stop();
    },
  );

  test('writes the same lockfile as without the gateway', shows('lockfile'), async () => {
    const registry = await cargoRegistry(crates);
    const gateway = await gatewayFor(registry);
    const folder = await cargoProject(registry.index.url, { hammer: '0.3' });
    const direct = new CargoProject(folder, { attempt });
    await direct.fetch();
    const mounted = await through(gateway);
    await mounted.fetch();
    expect(await mounted.lockfile()).toBe(await direct.lockfile());
    expect(await mounted.lockfile()).toContain('checksum');
  });

  test(
    'gets no crate that was corrupted upstream, and the right one afterwards',
    shows('corrupted'),
    async () => {
      const registry = await cargoRegistry([nail]);
      const gateway = await gatewayFor(registry);
      const good = await packed(nail);
      registry.publish(nail, good);
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(20) ^ 1, 20);
      registry.serve(nail, bad);
      const mounted = await through(gateway, { nail: '1' });
      const { code, errors } = await mounted.attempt();
      expect(code).not.toBe(0);
      expect(errors).toContain('502');

      registry.serve(nail, good);
      await mounted.fetch();
      expect(await mounted.fetched()).toEqual(['nail-1.0.0']);
    },
  );

  test(
    'of several at once each gets all, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const registry = await cargoRegistry(crates);
      const gateway = await gatewayFor(registry);
      const projects = await Promise.all(Array.from({ length: 4 }, () => through(gateway)));
      await Promise.all(projects.map((each) => each.fetch()));
      for (const each of projects) expect(await each.fetched()).toEqual(wholeTree);
      for (const { requests } of [registry.crates, registry.index]) {
        const targets = requests.map(({ target }) => target);
        expect(new Set(targets).size).toBe(targets.length);
      }
    },
  );

  test('costs a conditional request an index file once all is stale', shows('stale'), async () => {
    const registry = await cargoRegistry(crates, agedOrigin);
    const gateway = await gatewayFor(registry);
    await (await through(gateway)).fetch();
    const [index, files] = [registry.index.requests.length, registry.crates.requests.length];
    const later = await through(gateway);
    await later.fetch();
    expect(await later.fetched()).toEqual(wholeTree);
    const targets = ['/config.json', '/na/il/nail', '/bo/ar/board', '/ha/mm/hammer'];
    expectValidated(registry.index.requests.slice(index), targets);
    expectValidated(registry.crates.requests.slice(files), []);
  });

  test('is told what does not exist', async () => {
    const gateway = await gatewayFor(await cargoRegistry([nail]));
    const { code, errors } = await (await through(gateway, { absent: '1' })).attempt();
    expect(code).not.toBe(0);
    expect(errors).toContain('no matching package');
  });
});
