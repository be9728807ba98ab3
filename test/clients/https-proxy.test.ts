import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpsOrigin } from '../support/http-origin.ts';
import { cargoProject, rustup } from './support/cargo-project.ts';
import { cargoRegistry } from './support/cargo-registry.ts';
import { client, shows } from './support/columns.ts';
import type { GatewayProcess } from './support/gateway-process.ts';
import { intercepting } from './support/intercepting.ts';
import { isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { npmProject } from './support/npm-project.ts';
import { npmRegistry } from './support/npm-registry.ts';
import { pythonIndex } from './support/python-index.ts';

/** Lines of requests in intercepted tunnels, and of tunnels. */
function lines({ log }: GatewayProcess, method: string): GatewayProcess['log'] {
  return log.filter((line) => line.surface === 'connect' && line.method === method);
}

describe.skipIf(skipUnisolated('curl'))('curl through https_proxy', () => {
  test.each([['--http1.1'], ['--http2']])('%s gets the entry of the mount', async (protocol) => {
    const origin = await httpsOrigin();
    const body = { seed: 'disc', size: 3_000_000 };
    origin.serve('/disc.img', { body, headers: { 'Cache-Control': 'public, max-age=300' } });
    const { gateway, ca } = await intercepting('generic', origin.url);
    const { run } = await isolatedNetwork(gateway.url);
    const env = { https_proxy: gateway.url };
    const file = join(await temporaryFolder(), 'disc.img');
    const said = ['-sS', '-f', '-o', file, '-w', '%header{cache-status}'];
    const args = [...said, protocol, '--cacert', ca, `${origin.url}/disc.img`];
    expect((await run('curl', args, { env })).output).toContain('fwd=uri-miss');
    expect(generatedBytes(body.seed, 0, body.size).equals(await readFile(file))).toBe(true);
    await expect.poll(async () => (await gateway.stats()).fills.active).toBe(0);
    await origin.close();
    expect((await run('curl', args, { env })).output).toContain('; hit');
    const mounted = [...said, `${gateway.url}/it/disc.img`];
    expect((await run('curl', mounted)).output).toContain('; hit');
    expect(generatedBytes(body.seed, 0, body.size).equals(await readFile(file))).toBe(true);
  });

  test('without the authority fails, and the log says why', async () => {
    const origin = await httpsOrigin();
    const { gateway } = await intercepting('generic', origin.url);
    const { attempt } = await isolatedNetwork(gateway.url);
    const env = { https_proxy: gateway.url };
    const { code, errors } = await attempt('curl', ['-sS', `${origin.url}/a`], { env });
    expect(code).toBe(60);
    expect(errors).toContain('certificate');
    await expect.poll(() => lines(gateway, 'CONNECT')).toHaveLength(1);
    expect(lines(gateway, 'CONNECT')).toMatchObject([
      { error: 'tls_certificate_error', detail: expect.stringContaining('millrace ca export') },
    ]);
  });
});

describe.skipIf(skipUnisolated('npm'))('npm through https-proxy', client('npm'), () => {
  test(
    'installs, and again while the upstream is switched off, with the same lockfile',
    shows('HTTPS_PROXY'),
    async () => {
      const packages = [
        { name: 'nail', version: '1.0.0' },
        { name: 'board', version: '2.1.0', dependencies: { nail: '^1.0.0' } },
      ];
      const registry = await npmRegistry(packages, { origin: await httpsOrigin() });
      const { gateway, ca } = await intercepting('npm', registry.origin.url);
      const network = await isolatedNetwork(gateway.url);
      const npmrc = [`https-proxy=${gateway.url}`, `cafile=${ca}`];
      const options = { registry: registry.origin.url, npmrc, network };
      const first = await npmProject({ board: '2' }, options);
      await first.npm('install');
      expect(await first.installed('nail')).toBe('nail 1.0.0');
      const cold = await gateway.stats();
      await registry.origin.close();
      const second = await npmProject({ board: '2' }, options);
      await second.npm('install');
      expect(await second.installed('board')).toBe('board 2.1.0');
      expect(await second.lockfile()).toBe(await first.lockfile());
      // As npm writes it with no gateway at all.
      expect(await first.lockfile()).toContain(`${registry.origin.url}/board/-/board-2.1.0.tgz`);
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      expect(lines(gateway, 'GET')).toHaveLength(8);
    },
  );
});

describe.skipIf(skipUnisolated('pip3'))('pip through HTTPS_PROXY', client('pip'), () => {
  test(
    'installs, and again from an empty cache while the upstream is switched off',
    shows('HTTPS_PROXY'),
    async () => {
      const index = await pythonIndex([{ name: 'nail', version: '1.0' }], httpsOrigin);
      const files = `localhost:${index.files.port}`;
      const { gateway, ca } = await intercepting('pypi', index.pages.url, [files]);
      const { run } = await isolatedNetwork(gateway.url);
      const install = async (): Promise<string[]> => {
        const folder = await temporaryFolder();
        const env = {
          HOME: folder,
          HTTPS_PROXY: gateway.url,
          PIP_CERT: ca,
          PIP_CONFIG_FILE: '/dev/null',
          PIP_INDEX_URL: `${index.pages.url}/simple/`,
          PIP_DISABLE_PIP_VERSION_CHECK: '1',
          PIP_ROOT_USER_ACTION: 'ignore',
          PIP_RETRIES: '0',
        };
        await run(
          'python3',
          ['-m', 'pip', 'install', '--target', join(folder, 'installed'), 'nail'],
          { env },
        );
        return readdir(join(folder, 'installed'));
      };
      expect(await install()).toContain('nail.py');
      const cold = await gateway.stats();
      await index.close();
      expect(await install()).toContain('nail.py');
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      expect(index.wheelRequests()).toHaveLength(1);
    },
  );
});

describe.skipIf(skipUnisolated('cargo', 'tar'))(
  'cargo through HTTPS_PROXY',
  client('cargo'),
  () => {
    test(
      'fetches, and again from an empty cache while the upstream is switched off',
      shows('HTTPS_PROXY'),
      async () => {
        const crates = [
          { name: 'nail', version: '1.0.0' },
          { name: 'board', version: '2.1.0', dependencies: { nail: '^1.0' } },
        ];
        const registry = await cargoRegistry(crates, httpsOrigin);
        const files = `localhost:${registry.crates.port}`;
        const { gateway, ca } = await intercepting('cargo', registry.index.url, [files]);
        const { run } = await isolatedNetwork(gateway.url);
        const fetch = async (): Promise<string> => {
          const folder = await cargoProject(registry.index.url, { board: '2' });
          const env = {
            HOME: folder,
            CARGO_HOME: join(folder, 'home'),
            HTTPS_PROXY: gateway.url,
            CARGO_HTTP_CAINFO: ca,
            ...rustup(),
          };
          await run('cargo', ['fetch'], { cwd: folder, env });
          return readFile(join(folder, 'Cargo.lock'), 'utf8');
        };
        const lockfile = await fetch();
        expect(lockfile).toContain('name = "nail"');
        const cold = await gateway.stats();
        await registry.close();
        expect(await fetch()).toBe(lockfile);
        expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
        expect(registry.crates.requests).toHaveLength(2);
      },
    );
  },
);
