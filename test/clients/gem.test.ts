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
import type { Finished } from './support/run.ts';

const nail = { name: 'nail', version: '1.0.0' };
const gems: readonly Gem[] = [
  nail,
  { name: 'claw-hammer', version: '2.1.0', requires: { nail: '~> 1.0' } },
];

/** A machine without gems. */
class GemHome {
  readonly #folder: string;
  readonly #source: string;
  readonly #network: IsolatedNetwork;
  readonly #proxy: Readonly<Record<string, string>>;

  constructor(
    folder: string,
    source: string,
    network: IsolatedNetwork,
    proxy: Readonly<Record<string, string>> = {},
  ) {
    this.#folder = folder;
    this.#source = source;
    this.#network = network;
    this.#proxy = proxy;
  }

  gem(...args: readonly string[]): Promise<Finished> {
    const home = { HOME: this.#folder, GEM_HOME: join(this.#folder, 'gems') };
    const env = { ...home, ...this.#proxy };
    return this.#network.attempt('gem', [...args, '--norc'], { cwd: this.#folder, env });
  }

  install(name: string): Promise<Finished> {
    return this.gem('install', name, '--no-document', '--clear-sources', '--source', this.#source);
  }

  async installed(): Promise<string> {
    return (await this.gem('list', '--local', 'nail|hammer')).output;
  }
}

async function machine(gateway: GatewayProcess): Promise<GemHome> {
  const network = await isolatedNetwork(gateway.url);
  return new GemHome(await temporaryFolder(), `${gateway.url}/gems/`, network);
}

const both = 'claw-hammer (2.1.0)\nnail (1.0.0)\n';

describe.skipIf(skipUnisolated('gem'))(
  'gem',
  client('gem', { lockfile: 'gem has none; bundler has' }),
  () => {
    test(
      'installs, and again from nothing while the upstream is switched off',
      shows('cold', 'warm'),
      async () => {
        const server = await gemServer(gems);
        const gateway = await gatewayOf('gems', server.origin);
        const first = await machine(gateway);
        expect(await first.install('claw-hammer')).toMatchObject({ code: 0 });
        expect(await first.installed()).toContain(both);
        const cold = await gateway.stats();
        expect(new Set(server.targets()).size).toBe(server.targets().length);

        await server.origin.close();
        const second = await machine(gateway);
        expect(await second.install('claw-hammer')).toMatchObject({ code: 0 });
        expect(await second.installed()).toContain(both);
        expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
        await gateway.stop();
      },
    );

    test('costs a conditional request an index once all is stale', shows('stale'), async () => {
      const server = await gemServer(gems, agedOrigin);
      const gateway = await gatewayOf('gems', server.origin);
      expect(await (await machine(gateway)).install('claw-hammer')).toMatchObject({ code: 0 });
      const cold = server.origin.requests.length;
      const later = await machine(gateway);
      expect(await later.install('claw-hammer')).toMatchObject({ code: 0 });
      expect(await later.installed()).toContain(both);
      const targets = ['/versions', '/info/claw-hammer', '/info/nail'];
      expectValidated(server.origin.requests.slice(cold), targets);
    });

    test(
      'is refused a gem that is not what the index says, and gets the right one afterwards',
      shows('corrupted'),
      async () => {
        const server = await gemServer(gems);
        const gateway = await gatewayOf('gems', server.origin);
        server.serve(nail, (await packed({ ...nail, requires: { other: '>= 0' } })).body);
        const refused = await machine(gateway);
        // Alone: where one download fails while another is under way, RubyGems 3.3 never ends: the thread
        // that is killed at its exit waits to give back a connection that nobody takes.
        expect((await refused.install(nail.name)).code).not.toBe(0);
        expect(gateway.log).toContainEqual(
          expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
        );
        server.serve(nail, (await packed(nail)).body);
        const mended = await machine(gateway);
        expect(await mended.install('claw-hammer')).toMatchObject({ code: 0 });
        expect(await mended.installed()).toContain(both);
      },
    );

    test(
      'of several at once each gets all, and the upstream gives each file once',
      shows('concurrent'),
      async () => {
        const server = await gemServer(gems);
        const gateway = await gatewayOf('gems', server.origin);
        const machines = await Promise.all([machine(gateway), machine(gateway), machine(gateway)]);
        const finished = await Promise.all(machines.map((each) => each.install('claw-hammer')));
        expect(finished.map(({ code }) => code)).toEqual([0, 0, 0]);
        for (const each of machines) expect(await each.installed()).toContain(both);
        expect(new Set(server.targets()).size).toBe(server.targets().length);
      },
    );

    test(
      'through https_proxy installs, and again from nothing while the upstream is off',
      shows('HTTPS_PROXY'),
      async () => {
        const server = await gemServer(gems, httpsOrigin);
        const { gateway, ca } = await intercepting('gems', server.origin.url);
        const network = await isolatedNetwork(gateway.url);
        const proxy = { https_proxy: gateway.url, SSL_CERT_FILE: ca };
        const proxied = async () =>
          new GemHome(await temporaryFolder(), `${server.origin.url}/`, network, proxy);
        const first = await proxied();
        expect(await first.install('claw-hammer')).toMatchObject({ code: 0 });
        const cold = await gateway.stats();
        await server.origin.close();
        const second = await proxied();
        expect(await second.install('claw-hammer')).toMatchObject({ code: 0 });
        expect(await second.installed()).toContain(both);
        expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      },
    );
  },
);
