import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { httpsOrigin } from '../support/http-origin.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayOf } from './support/gateway-process.ts';
import {
  type HexPackage,
  type HexRepository,
  hexRepository,
  packed,
} from './support/hex-repository.ts';
import { intercepting } from './support/intercepting.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { attempt, type Finished } from './support/run.ts';

const nail = { name: 'nail', version: '1.0.0' };
const packages: readonly HexPackage[] = [
  nail,
  { name: 'hammer', version: '2.1.0', requires: { nail: '~> 1.0' } },
];

/** A project on a machine where nothing has been downloaded yet. */
class RebarProject {
  readonly #folder: string;
  readonly #network: Pick<IsolatedNetwork, 'attempt'>;
  readonly #proxy: Readonly<Record<string, string>>;

  constructor(
    folder: string,
    network: Pick<IsolatedNetwork, 'attempt'>,
    proxy: Readonly<Record<string, string>>,
  ) {
    this.#folder = folder;
    this.#network = network;
    this.#proxy = proxy;
  }

  attempt(): Promise<Finished> {
    const env = {
      HOME: this.#folder,
      REBAR_CACHE_DIR: join(this.#folder, 'cache'),
      ...this.#proxy,
    };
    return this.#network.attempt('rebar3', ['get-deps'], { cwd: this.#folder, env });
  }

  async getDeps(): Promise<void> {
    const { code, output, errors } = await this.attempt();
    if (code !== 0) throw new Error(output + errors);
  }

  async fetched(): Promise<string[]> {
    return (await readdir(join(this.#folder, '_build/default/lib'))).sort();
  }

  lockfile(): Promise<string> {
    return readFile(join(this.#folder, 'rebar.lock'), 'utf8');
  }
}

interface ProjectOptions {
  readonly url: string;
  readonly publicKey: string;
  readonly network: Pick<IsolatedNetwork, 'attempt'>;
  readonly proxy?: Readonly<Record<string, string>>;
  /** The user's own configuration. */
  readonly global?: string;
}

async function project(options: ProjectOptions): Promise<RebarProject> {
  const { url, publicKey, network, proxy = {}, global = '' } = options;
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'src'));
  await mkdir(join(folder, '.config/rebar3'), { recursive: true });
  await writeFile(join(folder, '.config/rebar3/rebar.config'), global);
  await writeFile(
    join(folder, 'src/app.app.src'),
    '{application, app, [{vsn, "1.0.0"}, {applications, [kernel, stdlib]}]}.\n',
  );
  const repo = `#{name => <<"mine">>, repo_verify => true, repo_verify_origin => true, repo_url => <<"${url}">>, repo_public_key => <<"${publicKey}">>}`;
  await writeFile(
    join(folder, 'rebar.config'),
    `{deps, [{hammer, "~> 2.0"}]}.\n{hex, [{repos, [${repo}]}]}.\n`,
  );
  return new RebarProject(folder, network, proxy);
}

async function through(
  gateway: GatewayProcess,
  { publicKey }: HexRepository,
): Promise<RebarProject> {
  const network = await isolatedNetwork(gateway.url);
  return project({ url: `${gateway.url}/hex`, publicKey, network });
}

const both = ['hammer', 'nail'];

describe.skipIf(skipUnisolated('rebar3'))('rebar3', client('rebar3 (Hex)'), () => {
  test(
    'fetches, and again from nothing while the upstream is off',
    shows('cold', 'warm'),
    async () => {
      const repository = await hexRepository(packages);
      const gateway = await gatewayOf('hex', repository.origin);
      const first = await through(gateway, repository);
      await first.getDeps();
      expect(await first.fetched()).toEqual(both);
      const cold = await gateway.stats();

      await repository.origin.close();
      const second = await through(gateway, repository);
      await second.getDeps();
      expect(await second.fetched()).toEqual(both);
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      await gateway.stop();
    },
  );

  test('costs a conditional request a package once all is stale', shows('stale'), async () => {
    const repository = await hexRepository(packages, agedOrigin);
    const gateway = await gatewayOf('hex', repository.origin);
    await (await through(gateway, repository)).getDeps();
    const cold = repository.origin.requests.length;
    const later = await through(gateway, repository);
    await later.getDeps();
    expect(await later.fetched()).toEqual(both);
    const targets = ['/packages/hammer', '/packages/nail'];
    expectValidated(repository.origin.requests.slice(cold), targets);
  });

  test(
    'is refused a tarball that was corrupted, then gets the right one',
    shows('corrupted'),
    async () => {
      const repository = await hexRepository(packages);
      const gateway = await gatewayOf('hex', repository.origin);
      const { tarball } = await packed(nail);
      const wrong = Buffer.from(tarball);
      wrong[600] = (wrong[600] ?? 0) ^ 1;
      repository.publish(nail, { ...(await packed(nail)), tarball });
      repository.serve(nail, wrong);
      expect((await (await through(gateway, repository)).attempt()).code).not.toBe(0);
      expect(gateway.log).toContainEqual(
        expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
      );
      repository.serve(nail, tarball);
      const mended = await through(gateway, repository);
      await mended.getDeps();
      expect(await mended.fetched()).toEqual(both);
    },
  );

  test('of several at once each gets all, each file once', shows('concurrent'), async () => {
    const repository = await hexRepository(packages);
    const gateway = await gatewayOf('hex', repository.origin);
    const projects = await Promise.all([1, 2, 3].map(() => through(gateway, repository)));
    await Promise.all(projects.map((each) => each.getDeps()));
    for (const each of projects) expect(await each.fetched()).toEqual(both);
    expect(new Set(repository.targets()).size).toBe(repository.targets().length);
  });

  test('writes the same lockfile as without the gateway', shows('lockfile'), async () => {
    const repository = await hexRepository(packages);
    const gateway = await gatewayOf('hex', repository.origin);
    const { publicKey, origin } = repository;
    const direct = await project({ url: origin.url, publicKey, network: { attempt } });
    await direct.getDeps();
    const mounted = await through(gateway, repository);
    await mounted.getDeps();
    expect(await mounted.lockfile()).toBe(await direct.lockfile());
    expect(await mounted.lockfile()).toContain('pkg_hash_ext');
  });

  test(
    'through https_proxy fetches, again while the upstream is off',
    shows('HTTPS_PROXY'),
    async () => {
      const repository = await hexRepository(packages, httpsOrigin);
      const { publicKey, origin } = repository;
      const { gateway, ca } = await intercepting('hex', origin.url);
      const network = await isolatedNetwork(gateway.url);
      const proxy = { https_proxy: gateway.url };
      const global = `{ssl_cacerts_path, ["${ca}"]}.\n`;
      const proxied = () => project({ url: origin.url, publicKey, network, proxy, global });
      const first = await proxied();
      await first.getDeps();
      const cold = await gateway.stats();
      await origin.close();
      const second = await proxied();
      await second.getDeps();
      expect(await second.fetched()).toEqual(both);
      expect(await second.lockfile()).toBe(await first.lockfile());
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    },
  );
});
