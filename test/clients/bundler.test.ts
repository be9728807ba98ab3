import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { httpsOrigin } from '../support/http-origin.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayOf } from './support/gateway-process.ts';
import { type Gem, gemServer, packed } from './support/gem-server.ts';
import { intercepting } from './support/intercepting.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { attempt, type Finished } from './support/run.ts';

const nail = { name: 'nail', version: '1.0.0' };
const gems: readonly Gem[] = [
  nail,
  { name: 'hammer', version: '2.1.0', requires: { nail: '~> 1.0' } },
];

/** A project on a machine without gems. */
class BundlerProject {
  readonly #folder: string;
  readonly #network: Pick<IsolatedNetwork, 'attempt'>;
  readonly #proxy: Readonly<Record<string, string>>;

  constructor(
    folder: string,
    network: Pick<IsolatedNetwork, 'attempt'>,
    proxy: Readonly<Record<string, string>> = {},
  ) {
    this.#folder = folder;
    this.#network = network;
    this.#proxy = proxy;
  }

  /** Runs it where it may fail. */
  attempt(...args: readonly string[]): Promise<Finished> {
    const env = {
      HOME: this.#folder,
      BUNDLE_PATH: join(this.#folder, 'gems'),
      BUNDLE_USER_HOME: join(this.#folder, 'bundle'),
      BUNDLE_RETRY: '0',
      BUNDLE_SILENCE_ROOT_WARNING: '1',
      ...this.#proxy,
    };
    return this.#network.attempt('bundle', args, { cwd: this.#folder, env });
  }

  async bundle(...args: readonly string[]): Promise<void> {
    const { code, output, errors } = await this.attempt(...args);
    if (code !== 0) throw new Error(output + errors);
  }

  /** What the library that the project needs says of itself. */
  async name(): Promise<string> {
    const { output } = await this.attempt('exec', 'ruby', '-e', 'require "hammer"; print NAME');
    return output;
  }

  lockfile(): Promise<string> {
    return readFile(join(this.#folder, 'Gemfile.lock'), 'utf8');
  }
}

async function project(
  source: string,
  network: Pick<IsolatedNetwork, 'attempt'>,
  proxy?: Readonly<Record<string, string>>,
): Promise<BundlerProject> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'Gemfile'), `source "${source}"\ngem "hammer"\n`);
  return new BundlerProject(folder, network, proxy);
}

async function through(gateway: GatewayProcess): Promise<BundlerProject> {
  return project(`${gateway.url}/gems/`, await isolatedNetwork(gateway.url));
}

describe.skipIf(skipUnisolated('bundle'))('bundler', client('bundler'), () => {
  test(
    'installs, and again from nothing while the upstream is off',
    shows('cold', 'warm'),
    async () => {
      const server = await gemServer(gems);
      const gateway = await gatewayOf('gems', server.origin);
      const first = await through(gateway);
      await first.bundle('install');
      expect(await first.name()).toBe('hammer 2.1.0');
      const cold = await gateway.stats();

      await server.origin.close();
      const second = await through(gateway);
      await second.bundle('install');
      expect(await second.name()).toBe('hammer 2.1.0');
      expect(await second.lockfile()).toBe(await first.lockfile());
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    },
  );

  test('gets what was appended to the index by ranges', async () => {
    const server = await gemServer(gems);
    const gateway = await gatewayOf('gems', server.origin);
    const first = await through(gateway);
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
    await gateway.stop();
  });

  test('costs a conditional request an index once all is stale', shows('stale'), async () => {
    const server = await gemServer(gems, agedOrigin);
    const gateway = await gatewayOf('gems', server.origin);
    await (await through(gateway)).bundle('install');
    const cold = server.origin.requests.length;
    const later = await through(gateway);
    await later.bundle('install');
    expect(await later.name()).toBe('hammer 2.1.0');
    const targets = ['/versions', '/info/hammer', '/info/nail'];
    expectValidated(server.origin.requests.slice(cold), targets);
  });

  test(
    'is refused a gem that is not what the index says, and gets the right one afterwards',
    shows('corrupted'),
    async () => {
      const server = await gemServer(gems);
      const gateway = await gatewayOf('gems', server.origin);
      server.serve(nail, (await packed({ ...nail, requires: { other: '>= 0' } })).body);
      expect((await (await through(gateway)).attempt('install')).code).not.toBe(0);
      expect(gateway.log).toContainEqual(
        expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
      );
      server.serve(nail, (await packed(nail)).body);
      const mended = await through(gateway);
      await mended.bundle('install');
      expect(await mended.name()).toBe('hammer 2.1.0');
    },
  );

  test(
    'of several at once each gets all, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const server = await gemServer(gems);
      const gateway = await gatewayOf('gems', server.origin);
      const projects = await Promise.all([through(gateway), through(gateway), through(gateway)]);
      await Promise.all(projects.map((each) => each.bundle('install')));
      for (const each of projects) expect(await each.name()).toBe('hammer 2.1.0');
      expect(new Set(server.targets()).size).toBe(server.targets().length);
    },
  );

  test(
    'writes the same lockfile as without the gateway, where that is a mirror',
    shows('lockfile'),
    async () => {
      const server = await gemServer(gems);
      const gateway = await gatewayOf('gems', server.origin);
      const source = `${server.origin.url}/`;
      const direct = await project(source, { attempt });
      await direct.bundle('install');
      const mirrored = await project(source, await isolatedNetwork(gateway.url));
      await mirrored.bundle('config', 'set', '--local', `mirror.${source}`, `${gateway.url}/gems/`);
      await mirrored.bundle('install');
      expect(await mirrored.lockfile()).toBe(await direct.lockfile());
      expect(await mirrored.lockfile()).toContain(source);
    },
  );

  test(
    'through a proxy installs, and again while the upstream is off, with one lockfile',
    shows('HTTPS_PROXY'),
    async () => {
      const server = await gemServer(gems, httpsOrigin);
      const { gateway, ca } = await intercepting('gems', server.origin.url);
      const network = await isolatedNetwork(gateway.url);
      // The index is read by Bundler itself, which knows one proxy for both schemes; gems by RubyGems.
      const env = {
        http_proxy: gateway.url,
        BUNDLE_SSL_CA_CERT: ca,
        https_proxy: gateway.url,
        SSL_CERT_FILE: ca,
      };
      const first = await project(`${server.origin.url}/`, network, env);
      await first.bundle('install');
      const cold = await gateway.stats();
      await server.origin.close();
      const second = await project(`${server.origin.url}/`, network, env);
      await second.bundle('install');
      expect(await second.name()).toBe('hammer 2.1.0');
      expect(await second.lockfile()).toBe(await first.lockfile());
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    },
  );
});
