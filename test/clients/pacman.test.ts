import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { publishNails } from './support/pacman-repository.ts';
import type { Finished } from './support/run.ts';

const database = '/nails/os/x86_64/nails.db';

async function repositoryAndGateway(origin: HttpOrigin): Promise<[HttpOrigin, GatewayProcess]> {
  await publishNails(origin, '1');
  const mount = { path: '/arch', ecosystem: 'pacman', upstreams: [{ url: origin.url }] };
  return [origin, await gatewayProcess({ mounts: [mount] })];
}

/** What a host without packages has in its cache once it is to download `nail`; how that ended. */
async function download(
  gateway: GatewayProcess,
): Promise<{ readonly finished: Finished; readonly files: string[] }> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'db'));
  await mkdir(join(folder, 'cache'));
  const lines = [
    '[options]',
    `RootDir = ${folder}`,
    `DBPath = ${folder}/db`,
    `CacheDir = ${folder}/cache`,
    `LogFile = ${folder}/log`,
    `GPGDir = ${folder}/gnupg`,
    'Architecture = x86_64',
    'SigLevel = Never',
    '[nails]',
    `Server = ${gateway.url}/arch/$repo/os/$arch`,
  ];
  await writeFile(join(folder, 'pacman.conf'), `${lines.join('\n')}\n`);
  const config = ['--config', join(folder, 'pacman.conf'), '--noconfirm'];
  const network = await isolatedNetwork(gateway.url);
  const env = { HOME: folder };
  const finished = await network.attempt('pacman', [...config, '-Syw', 'nail'], { env });
  return { finished, files: await readdir(join(folder, 'cache')) };
}

/** The same where it has to succeed. */
async function downloaded(gateway: GatewayProcess): Promise<string[]> {
  const { finished, files } = await download(gateway);
  if (finished.code !== 0) throw new Error(finished.output + finished.errors);
  return files;
}

const row = client('pacman', {
  lockfile: 'it has none',
  HTTPS_PROXY: 'its library takes no other authorities than those of the system',
});

describe.skipIf(skipUnisolated('pacman', 'tar'))('pacman', row, () => {
  test('downloads; again by a condition for the database', shows('cold', 'stale'), async () => {
    const [origin, gateway] = await repositoryAndGateway(await agedOrigin());
    expect(await downloaded(gateway)).toEqual(['nail-1-1-any.pkg.tar.gz']);
    const cold = origin.requests.length;
    expect(await downloaded(gateway)).toEqual(['nail-1-1-any.pkg.tar.gz']);
    expectValidated(origin.requests.slice(cold), [database]);
  });

  test('asks nothing while the database is fresh', shows('warm'), async () => {
    const [origin, gateway] = await repositoryAndGateway(await httpOrigin());
    await downloaded(gateway);
    const cold = await gateway.stats();
    await origin.close();
    expect(await downloaded(gateway)).toEqual(['nail-1-1-any.pkg.tar.gz']);
    expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
  });

  test(
    'is refused a package that was corrupted upstream, and gets the right one afterwards',
    shows('corrupted'),
    async () => {
      const [origin, gateway] = await repositoryAndGateway(await httpOrigin());
      const target = '/nails/os/x86_64/nail-1-1-any.pkg.tar.gz';
      const right = origin.handlerOf(target);
      if (!right) throw new Error('no such package');
      origin.serve(target, { body: 'not this' });
      const { finished } = await download(gateway);
      expect(finished.code).not.toBe(0);
      expect(finished.errors).toContain('502');
      origin.handle(target, right);
      expect(await downloaded(gateway)).toEqual(['nail-1-1-any.pkg.tar.gz']);
    },
  );

  test('sees a new version once the database is stale', async () => {
    const [origin, gateway] = await repositoryAndGateway(await agedOrigin());
    await downloaded(gateway);
    await publishNails(origin, '2');
    expect(await downloaded(gateway)).toEqual(['nail-2-1-any.pkg.tar.gz']);
  });

  test(
    'of several at once each gets it, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const [origin, gateway] = await repositoryAndGateway(await httpOrigin());
      await Promise.all([downloaded(gateway), downloaded(gateway), downloaded(gateway)]);
      const given = origin.requests.filter(({ status }) => status === 200);
      expect(new Set(given.map(({ target }) => target)).size).toBe(given.length);
    },
  );
});
