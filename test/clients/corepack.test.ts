import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { httpsOrigin } from '../support/http-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayOf } from './support/gateway-process.ts';
import { intercepting } from './support/intercepting.ts';
import { isolatedIfPossible, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { corepackProgram, skipWithoutJsTools } from './support/js-clients.ts';
import {
  corrupted,
  type NpmRegistry,
  npmRegistry,
  type RegistryOptions,
} from './support/npm-registry.ts';
import type { Finished } from './support/run.ts';

const pnpm = { name: 'pnpm', version: '9.9.9' };
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const keyid = 'SHA256:of-this-test';

/** A registry whose pnpm says which one it is, signed as Corepack wants it. */
function registryOfPnpm(options: RegistryOptions = {}): Promise<NpmRegistry> {
  const program = `console.log('this is ${pnpm.version}');\n`;
  return npmRegistry([pnpm], {
    files: { 'bin/pnpm.cjs': program, 'bin/pnpx.cjs': program },
    sign: (text) => ({
      keyid,
      sig: sign('sha256', Buffer.from(text), keys.privateKey).toString('base64'),
    }),
    ...options,
  });
}

interface User {
  readonly registry: string;
  readonly network: Awaited<ReturnType<typeof isolatedIfPossible>>;
  readonly env?: Readonly<Record<string, string>>;
}

async function through(gateway: GatewayProcess): Promise<User> {
  return { registry: `${gateway.url}/npm`, network: await isolatedIfPossible(gateway.url) };
}

/** Corepack with nothing downloaded, in a project that names its package manager so. */
async function corepack(user: User, packageManager: string, ...args: string[]): Promise<Finished> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'package.json'), JSON.stringify({ packageManager }));
  const env = {
    HOME: folder,
    COREPACK_HOME: join(folder, 'corepack'),
    COREPACK_NPM_REGISTRY: user.registry,
    COREPACK_ENABLE_DOWNLOAD_PROMPT: '0',
    COREPACK_INTEGRITY_KEYS: JSON.stringify({ npm: [{ keyid, key: publicKey }] }),
    ...user.env,
  };
  const options = { cwd: folder, env };
  return user.network.attempt(process.execPath, [corepackProgram, ...args], options);
}

/** As `package.json` pins it, hash included. */
function pinned(registry: NpmRegistry): string {
  const { name, version } = pnpm;
  const hash = createHash('sha512').update(registry.tarball(name, version)).digest('hex');
  return `${name}@${version}+sha512.${hash}`;
}

describe.skipIf(skipWithoutJsTools())(
  'corepack',
  client('corepack', { lockfile: 'it has none' }),
  () => {
    test(
      'gets the package manager by its signature, and again while the upstream is switched off',
      shows('cold', 'warm'),
      async () => {
        const registry = await registryOfPnpm();
        const gateway = await gatewayOf('npm', registry.origin);
        const user = await through(gateway);
        const name = `${pnpm.name}@${pnpm.version}`;
        expect(await corepack(user, name, 'pnpm')).toMatchObject({ output: 'this is 9.9.9\n' });
        const targets = registry.origin.requests.map(({ target }) => target);
        expect(targets).toEqual(['/pnpm/9.9.9', '/pnpm/-/pnpm-9.9.9.tgz']);
        await registry.origin.close();
        expect(await corepack(user, name, 'pnpm')).toMatchObject({ output: 'this is 9.9.9\n' });
      },
    );

    test('costs one conditional request once the document is stale', shows('stale'), async () => {
      const registry = await registryOfPnpm({ cacheControl: 'public, max-age=0' });
      const user = await through(await gatewayOf('npm', registry.origin));
      const name = pinned(registry);
      await corepack(user, name, 'pnpm');
      expect(await corepack(user, name, 'pnpm')).toMatchObject({ output: 'this is 9.9.9\n' });
      const all = registry.origin.requests.map(({ target, status }) => `${target} ${status}`);
      expect(all).toEqual(['/pnpm/9.9.9 200', '/pnpm/-/pnpm-9.9.9.tgz 200', '/pnpm/9.9.9 304']);
    });

    test('finds the latest release and verifies its signature', async () => {
      const registry = await registryOfPnpm();
      const gateway = await gatewayOf('npm', registry.origin);
      const user = await through(gateway);
      const { code, errors } = await corepack(
        user,
        pinned(registry),
        'install',
        '-g',
        'pnpm@latest',
      );
      expect(`${code} ${errors}`).toMatch(/^0 /);
      expect(registry.requests('tarball')).toHaveLength(1);
    });

    test(
      'gets no package manager that was corrupted upstream, and the right one afterwards',
      shows('corrupted'),
      async () => {
        const registry = await registryOfPnpm();
        const gateway = await gatewayOf('npm', registry.origin);
        const user = await through(gateway);
        const good = registry.tarball(pnpm.name, pnpm.version);
        const name = pinned(registry);
        registry.serveTarball(pnpm, corrupted(good));
        expect((await corepack(user, name, 'pnpm')).code).not.toBe(0);
        expect(gateway.log).toContainEqual(
          expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
        );
        registry.serveTarball(pnpm, good);
        expect(await corepack(user, name, 'pnpm')).toMatchObject({ output: 'this is 9.9.9\n' });
      },
    );

    test(
      'of several at once each gets it, and the upstream gives everything once',
      shows('concurrent'),
      async () => {
        const registry = await registryOfPnpm();
        const user = await through(await gatewayOf('npm', registry.origin));
        const name = pinned(registry);
        for (const { output } of await Promise.all(
          [1, 2, 3].map(() => corepack(user, name, 'pnpm')),
        )) {
          expect(output).toBe('this is 9.9.9\n');
        }
        expect(registry.origin.requests).toHaveLength(2);
      },
    );

    test.skipIf(skipUnisolated())(
      'through HTTPS_PROXY gets it, and again while the upstream is switched off',
      shows('HTTPS_PROXY'),
      async () => {
        const registry = await registryOfPnpm({ origin: await httpsOrigin() });
        const { gateway, ca } = await intercepting('npm', registry.origin.url);
        const network = await isolatedNetwork(gateway.url);
        const proxy = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: gateway.url };
        const env = { ...proxy, NODE_EXTRA_CA_CERTS: ca };
        const user = { registry: registry.origin.url, network, env };
        const name = pinned(registry);
        expect(await corepack(user, name, 'pnpm')).toMatchObject({ output: 'this is 9.9.9\n' });
        await registry.origin.close();
        expect(await corepack(user, name, 'pnpm')).toMatchObject({ output: 'this is 9.9.9\n' });
      },
    );
  },
);
