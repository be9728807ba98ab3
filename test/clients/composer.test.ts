import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { httpsOrigin } from '../support/http-origin.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import {
  archiveOf,
  type ComposerPackage,
  type ComposerRepository,
  composerRepository,
} from './support/composer-repository.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { type Intercepting, intercepting } from './support/intercepting.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import type { Finished } from './support/run.ts';

const nail = { name: 'acme/nail', version: '1.0.0' };
const hammer = { name: 'acme/hammer', version: '2.1.0', requires: { 'acme/nail': '^1.0' } };
const packages: readonly ComposerPackage[] = [nail, hammer];

function gatewayFor({ index, archives }: ComposerRepository): Promise<GatewayProcess> {
  const hosts = [new URL(archives.url).host];
  const upstreams = [{ url: index.url }];
  return gatewayProcess({
    mounts: [{ path: '/composer', ecosystem: 'composer', upstreams, hosts }],
  });
}

/** A project on a machine where nothing has been downloaded yet. */
class ComposerProject {
  readonly #folder: string;
  readonly #network: IsolatedNetwork;

  readonly #proxy: Readonly<Record<string, string>>;

  constructor(folder: string, network: IsolatedNetwork, proxy?: string) {
    this.#folder = folder;
    this.#network = network;
    this.#proxy = proxy === undefined ? {} : { https_proxy: proxy };
  }

  install(): Promise<Finished> {
    const env = {
      HOME: this.#folder,
      COMPOSER_HOME: join(this.#folder, 'home'),
      COMPOSER_CACHE_DIR: join(this.#folder, 'cache'),
      COMPOSER_ALLOW_SUPERUSER: '1',
      COMPOSER_NO_AUDIT: '1',
      ...this.#proxy,
    };
    const args = ['install', '--no-interaction', '--no-progress'];
    return this.#network.attempt('composer', args, { cwd: this.#folder, env });
  }

  async installAll(): Promise<void> {
    const { code, output, errors } = await this.install();
    if (code !== 0) throw new Error(output + errors);
  }

  read(name: string): Promise<string> {
    return readFile(join(this.#folder, name), 'utf8');
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.#folder, name), text);
  }
}

async function project(gateway: GatewayProcess): Promise<ComposerProject> {
  const made = new ComposerProject(await temporaryFolder(), await isolatedNetwork(gateway.url));
  const repository = { type: 'composer', url: `${gateway.url}/composer` };
  const manifest = {
    repositories: [repository, { 'packagist.org': false }],
    require: { 'acme/hammer': '^2.0' },
    config: { 'secure-http': false },
  };
  await made.write('composer.json', JSON.stringify(manifest));
  return made;
}

async function expectInstalled(made: ComposerProject): Promise<void> {
  for (const { name, version } of packages) {
    expect(await made.read(`vendor/${name}/name.txt`)).toBe(`${name} ${version}\n`);
  }
}

/** The same for one that knows the repository by its own URL, and the gateway as its proxy. */
async function proxied(
  { gateway, ca }: Intercepting,
  { index }: ComposerRepository,
): Promise<ComposerProject> {
  const network = await isolatedNetwork(gateway.url);
  const made = new ComposerProject(await temporaryFolder(), network, gateway.url);
  const repository = { type: 'composer', url: index.url };
  const manifest = {
    repositories: [repository, { 'packagist.org': false }],
    require: { 'acme/hammer': '^2.0' },
    config: { cafile: ca },
  };
  await made.write('composer.json', JSON.stringify(manifest));
  return made;
}

const wrong = archiveOf({ ...nail, version: '6.6.6' });

describe.skipIf(skipUnisolated('composer'))('composer', client('composer'), () => {
  test(
    'installs, and again from nothing while the upstream is switched off, with one lockfile',
    shows('cold', 'warm'),
    async () => {
      const repository = await composerRepository(packages);
      const gateway = await gatewayFor(repository);
      const first = await project(gateway);
      await first.installAll();
      await expectInstalled(first);
      const cold = await gateway.stats();
      expect(new Set(repository.targets()).size).toBe(repository.targets().length);

      await repository.close();
      const second = await project(gateway);
      await second.installAll();
      await expectInstalled(second);
      const locked = await project(gateway);
      await locked.write('composer.lock', await first.read('composer.lock'));
      await locked.installAll();
      expect(await locked.read('composer.lock')).toBe(await second.read('composer.lock'));
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      await gateway.stop();
    },
  );

  test('costs a conditional request a document once all is stale', shows('stale'), async () => {
    const repository = await composerRepository(packages, agedOrigin);
    const gateway = await gatewayFor(repository);
    await (await project(gateway)).installAll();
    const [index, files] = [repository.index, repository.archives].map(
      (each) => each.requests.length,
    );
    const later = await project(gateway);
    await later.installAll();
    await expectInstalled(later);
    const targets = ['/packages.json', '/p2/acme/hammer.json', '/p2/acme/nail.json'];
    expectValidated(repository.index.requests.slice(index), targets);
    expectValidated(repository.archives.requests.slice(files), []);
  });

  test(
    'is refused an archive that is not what the index says, and gets the right one afterwards',
    shows('corrupted'),
    async () => {
      const repository = await composerRepository(packages);
      const gateway = await gatewayFor(repository);
      repository.serve(nail, wrong);
      expect((await (await project(gateway)).install()).code).not.toBe(0);
      expect(gateway.log).toContainEqual(
        expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
      );
      repository.serve(nail, archiveOf(nail));
      const mended = await project(gateway);
      await mended.installAll();
      await expectInstalled(mended);
    },
  );

  test(
    'of several at once each gets all, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const repository = await composerRepository(packages);
      const gateway = await gatewayFor(repository);
      const projects = await Promise.all([project(gateway), project(gateway), project(gateway)]);
      await Promise.all(projects.map((each) => each.installAll()));
      for (const each of projects) await expectInstalled(each);
      expect(new Set(repository.targets()).size).toBe(repository.targets().length);
    },
  );

  test(
    'through https_proxy installs, and again while the upstream is off, its lockfile unchanged',
    shows('lockfile', 'HTTPS_PROXY'),
    async () => {
      const repository = await composerRepository(packages, httpsOrigin);
      const { index, archives } = repository;
      const through = await intercepting('composer', index.url, [new URL(archives.url).host]);
      const first = await proxied(through, repository);
      await first.installAll();
      await expectInstalled(first);
      const cold = await through.gateway.stats();
      await repository.close();
      const second = await proxied(through, repository);
      await second.installAll();
      await expectInstalled(second);
      const lockfile = await second.read('composer.lock');
      expect(lockfile).toBe(await first.read('composer.lock'));
      // As Composer writes it with no gateway at all.
      expect(JSON.parse(lockfile).packages[1].dist.url).toBe(
        `${archives.url}/dist/acme/nail/acme-nail-1.0.0.zip`,
      );
      expect((await through.gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    },
  );
});
