import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { httpsOrigin } from '../support/http-origin.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { intercepting } from './support/intercepting.ts';
import { isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { type RpmRepository, rpmRepository } from './support/rpm-repository.ts';

const repomd = '/os/repodata/repomd.xml';

function gatewayFor({ origin }: RpmRepository): Promise<GatewayProcess> {
  return gatewayProcess({
    mounts: [{ path: '/rpm', ecosystem: 'rpm', upstreams: [{ url: `${origin.url}/os` }] }],
  });
}

/** A root without packages, and what dnf has downloaded for it. */
class DnfHost {
  readonly #folder: string;
  readonly #gateway: GatewayProcess;

  constructor(folder: string, gateway: GatewayProcess) {
    this.#folder = folder;
    this.#gateway = gateway;
  }

  /** Downloads `nail`; what dnf said, and how it ended. */
  async download(): Promise<{ readonly code: number | null; readonly said: string }> {
    const network = await isolatedNetwork(this.#gateway.url);
    const root = join(this.#folder, 'root');
    const config = ['-c', join(this.#folder, 'dnf.conf'), '--installroot', root, '--releasever=1'];
    const target = ['--downloadonly', '--destdir', join(this.#folder, 'downloads')];
    const { code, output, errors } = await network.attempt(
      'dnf',
      [...config, '-y', '--refresh', ...target, 'install', 'nail'],
      { env: { HOME: this.#folder } },
    );
    return { code, said: output + errors };
  }

  /** The same where it has to succeed. */
  async downloaded(): Promise<string[]> {
    const { code, said } = await this.download();
    if (code !== 0) throw new Error(said);
    return (await readdir(join(this.#folder, 'downloads'))).sort();
  }
}

async function dnfHost(
  gateway: GatewayProcess,
  url = `${gateway.url}/rpm`,
  more: readonly string[] = [],
): Promise<DnfHost> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'none'));
  const lines = [
    '[main]',
    `reposdir=${folder}/none`,
    `cachedir=${folder}/cache`,
    `persistdir=${folder}/persist`,
    `logdir=${folder}/log`,
    'plugins=0',
    'gpgcheck=0',
    'retries=1',
    ...more,
    '[here]',
    'name=here',
    `baseurl=${url}`,
  ];
  await writeFile(join(folder, 'dnf.conf'), `${lines.join('\n')}\n`);
  return new DnfHost(folder, gateway);
}

const row = client('dnf', { lockfile: 'it has none' });

describe.skipIf(skipUnisolated('dnf', 'rpmbuild', 'createrepo_c'))('dnf', row, () => {
  test.each([
    ['unique names', []],
    ['plain names', ['--simple-md-filenames']],
  ])(
    'downloads by metadata under %s; again by a condition for the repomd.xml',
    shows('cold', 'stale'),
    async (_what, args) => {
      const origin = await agedOrigin();
      const gateway = await gatewayFor(await rpmRepository(args, origin));
      expect(await (await dnfHost(gateway)).downloaded()).toEqual(['nail-1-1.noarch.rpm']);
      const cold = origin.requests.length;
      expect(await (await dnfHost(gateway)).downloaded()).toEqual(['nail-1-1.noarch.rpm']);
      expectValidated(origin.requests.slice(cold), [repomd]);
    },
  );

  test('asks nothing while the repomd.xml is fresh', shows('warm'), async () => {
    const repository = await rpmRepository(['--simple-md-filenames']);
    const gateway = await gatewayFor(repository);
    await (await dnfHost(gateway)).downloaded();
    const cold = await gateway.stats();
    await repository.origin.close();
    expect(await (await dnfHost(gateway)).downloaded()).toEqual(['nail-1-1.noarch.rpm']);
    expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
  });

  test(
    'is refused a package that was corrupted upstream, and gets the right one afterwards',
    shows('corrupted'),
    async () => {
      const repository = await rpmRepository();
      const gateway = await gatewayFor(repository);
      const target = '/os/noarch/nail-1-1.noarch.rpm';
      const right = repository.origin.handlerOf(target);
      if (!right) throw new Error('no such package');
      repository.origin.serve(target, { body: 'not this' });
      const { code, said } = await (await dnfHost(gateway)).download();
      expect(code).not.toBe(0);
      expect(said).toContain('502');
      repository.origin.handle(target, right);
      expect(await (await dnfHost(gateway)).downloaded()).toEqual(['nail-1-1.noarch.rpm']);
    },
  );

  test(
    'of several at once each gets it, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const repository = await rpmRepository();
      const gateway = await gatewayFor(repository);
      const hosts = await Promise.all([dnfHost(gateway), dnfHost(gateway), dnfHost(gateway)]);
      await Promise.all(hosts.map((host) => host.downloaded()));
      const given = repository.origin.requests.filter(({ status }) => status === 200);
      expect(new Set(given.map(({ target }) => target)).size).toBe(given.length);
    },
  );

  test('plain names: metadata that changes behind the repomd.xml is as that says, or an error', async () => {
    const repository = await rpmRepository(['--simple-md-filenames'], await agedOrigin());
    const gateway = await gatewayFor(repository);
    expect(await (await dnfHost(gateway)).downloaded()).toEqual(['nail-1-1.noarch.rpm']);
    await repository.publishAfterRepomd('2');
    // What belongs to the old one is in the cache.
    expect(await (await dnfHost(gateway)).downloaded()).toEqual(['nail-1-1.noarch.rpm']);
    await repository.publishAfterRepomd('3');
    const late = await dnfHost(gateway);
    const { code, said } = await late.download();
    expect(code).not.toBe(0);
    expect(said).toContain('502');
    expect(said).not.toMatch(/checksum/i);
    expect(await late.downloaded()).toEqual(['nail-3-1.noarch.rpm']);
  });

  test(
    'takes an https:// repository through an intercepting gateway',
    shows('HTTPS_PROXY'),
    async () => {
      const repository = await rpmRepository([], await httpsOrigin());
      const { gateway, ca } = await intercepting('rpm', `${repository.origin.url}/os`);
      const host = await dnfHost(gateway, `${repository.origin.url}/os`, [
        `proxy=${gateway.url}`,
        `sslcacert=${ca}`,
      ]);
      expect(await host.downloaded()).toEqual(['nail-1-1.noarch.rpm']);
      const count = repository.origin.requests.length;
      expect((await fetch(`${gateway.url}/it/noarch/nail-1-1.noarch.rpm`)).status).toBe(200);
      expect(repository.origin.requests).toHaveLength(count);
    },
  );
});
