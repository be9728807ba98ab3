import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { treeOf } from '../cli/setup/tree.ts';
import { type User, user } from '../cli/setup/user.ts';
import { httpsOrigin } from '../support/http-origin.ts';
import { type AptRepository, aptRepository } from './support/apt-repository.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { intercepting } from './support/intercepting.ts';
import { isolatedNetwork, skipUnisolated } from './support/isolated.ts';

const packages = [{ name: 'chisel', version: '1.0-1' }];

/** A system below the folder of a user, as apt takes it, with this archive among its sources. */
async function system(one: User, repository: AptRepository): Promise<void> {
  const folders = [
    'etc/apt/apt.conf.d',
    'etc/apt/preferences.d',
    'etc/apt/sources.list.d',
    'etc/apt/trusted.gpg.d',
    'var/lib/apt/lists/partial',
    'var/cache/apt/archives/partial',
  ];
  for (const each of folders) await mkdir(join(one.root, each), { recursive: true });
  await one.file('etc/apt/sources.list', `# mine\n${repository.source()}\n`);
  await one.file('etc/apt/apt.conf.d/50own', 'Acquire::Languages "none";\n');
  await one.file('status');
  await writeFile(
    join(one.root, 'apt.conf'),
    `Dir "${one.root}/";\nDir::State::status "${one.root}/status";\nAPT::Sandbox::User "root";\nAcquire::Retries "0";\n`,
  );
}

/** `apt-get update` and a download, where the gateway is all that can be reached. */
async function download(one: User, { url }: GatewayProcess): Promise<void> {
  const { run } = await isolatedNetwork(url);
  const options = { cwd: one.project, env: { APT_CONFIG: join(one.root, 'apt.conf') } };
  await run('apt-get', ['update'], options);
  await run('apt-get', ['download', 'chisel'], options);
  expect(await readdir(one.project)).toEqual(['chisel_1.0-1_all.deb']);
}

/** Set up, apt downloads, doctor is content, and undone the configuration is as it was. */
async function expectRoundTrip(
  one: User,
  gateway: GatewayProcess,
  ...args: readonly string[]
): Promise<void> {
  const before = await treeOf(join(one.root, 'etc'));
  await one.setUp('apt', '--url', gateway.url, ...args);
  await download(one, gateway);
  const more = args.includes('--ca') ? args.slice(args.indexOf('--ca')) : [];
  const { code, stdout } = await one.millrace(['doctor', 'apt', '--url', gateway.url, ...more]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/apt +✓ pointed at it/),
  });
  await one.undo('apt');
  expect(await treeOf(join(one.root, 'etc'))).toEqual(before);
}

const tools = ['apt-get', 'dpkg', 'dpkg-deb', 'gpg', 'gpgv'] as const;

describe.skipIf(skipUnisolated(...tools))('millrace setup apt', () => {
  test('makes the gateway its proxy', async () => {
    const repository = await aptRepository(packages);
    const upstreams = [{ url: `${repository.origin.url}/debian` }];
    const mounts = [{ path: '/debian', ecosystem: 'apt', upstreams }];
    const one = await user();
    await system(one, repository);
    await expectRoundTrip(one, await gatewayProcess({ mounts }));
  });

  test('makes the gateway its proxy for archives at https too, with its authority', async () => {
    const repository = await aptRepository(packages, { origin: await httpsOrigin() });
    const { gateway, ca } = await intercepting('apt', `${repository.origin.url}/debian`);
    const one = await user();
    await system(one, repository);
    await expectRoundTrip(one, gateway, '--proxy', '--ca', ca);
  });

  test('--registry leads its archives to their mounts', async () => {
    const repository = await aptRepository(packages);
    const upstreams = [{ url: `${repository.origin.url}/debian` }];
    const mounts = [{ path: '/archive', ecosystem: 'apt', upstreams }];
    const one = await user();
    await system(one, repository);
    await expectRoundTrip(one, await gatewayProcess({ mounts }), '--registry');
  });
});
