import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { treeOf } from '../cli/setup/tree.ts';
import { user } from '../cli/setup/user.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { client, shows } from './support/columns.ts';
import { containerd } from './support/containerd.ts';
import { type DockerRegistry, dockerRegistry } from './support/docker-registry.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { isNamed } from './support/named.ts';
import { proxiedRegistry } from './support/proxied-registry.ts';
import { attempt } from './support/run.ts';

const layer = generatedBytes('layer', 0, 600_000);
const image = 'registry.test/team/nail:v1';

interface Scene {
  readonly registry: DockerRegistry;
  readonly gateway: GatewayProcess;
  readonly network: IsolatedNetwork;
  /** The image's digest. */
  readonly digest: string;
}

/** A registry with an image, a gateway that has it by name, and a network with the gateway alone. */
async function scene(): Promise<Scene> {
  const registry = await dockerRegistry();
  const digest = await registry.push('team/nail:v1', layer);
  const upstreams = [{ url: `http://${registry.host}/v2` }];
  const mounts = [{ path: '/v2/registry.test', ecosystem: 'oci', upstreams }];
  const gateway = await gatewayProcess({ mounts });
  return { registry, gateway, network: await isolatedNetwork(gateway.url), digest };
}

/** A `hosts.toml` as docs/ecosystems.md has it, for `registry.test`; `server` is asked after the gateway. */
async function hostsFor({ gateway }: Scene, server = 'https://registry.test'): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'registry.test'));
  const lines = [
    `server = "${server}"`,
    `[host."${gateway.url}"]`,
    '  capabilities = ["pull", "resolve"]',
  ];
  await writeFile(join(folder, 'registry.test', 'hosts.toml'), `${lines.join('\n')}\n`);
  return folder;
}

/** The blobs of the image without a gateway. */
async function directly({ registry }: Scene): Promise<ReadonlyMap<string, string>> {
  // On loopback containerd takes plain HTTP by itself.
  return (await containerd()).fetched(`${registry.host}/team/nail:v1`, { attempt });
}

describe.skipIf(skipUnisolated('containerd', 'ctr', 'skopeo', 'docker-registry'))(
  'containerd',
  client('containerd'),
  () => {
    test(
      'pulls by its hosts.toml, and again while the registry is switched off, with equal digests',
      shows('cold', 'warm', 'stale', 'lockfile'),
      async () => {
        const all = await scene();
        const { registry, network, digest } = all;
        const direct = await directly(all);
        expect([...direct.keys()]).toContain(digest);
        const before = registry.asked().length;
        const hosts = await hostsFor(all);
        const daemon = await containerd();
        expect(await daemon.fetched(image, network, { hosts })).toEqual(direct);
        const cold = registry.asked().slice(before);
        expect(new Set(cold).size).toBe(cold.length);

        // While it is there a tag costs a HEAD, which registries do not count as a pull.
        expect(await daemon.fetched(image, network, { hosts })).toEqual(direct);
        expect(registry.asked().slice(before + cold.length)).toEqual([
          'HEAD /v2/team/nail/manifests/v1',
        ]);

        await registry.close();
        expect(await daemon.fetched(image, network, { hosts })).toEqual(direct);
        const byDigest = `registry.test/team/nail@${digest}`;
        expect(await daemon.fetched(byDigest, network, { hosts })).toEqual(direct);
        await all.gateway.stop();
      },
    );

    test(
      'gets no blob that was corrupted in the registry, and the right one afterwards',
      shows('corrupted'),
      async () => {
        const all = await scene();
        const { registry, gateway, network } = all;
        const direct = await directly(all);
        const [name = ''] = [...direct].find(([, base64]) => base64.length > layer.length) ?? [];
        const file = registry.blobFile(name);
        const right = await readFile(file);
        const wrong = Buffer.from(right);
        wrong[300_000] = (wrong[300_000] ?? 0) ^ 1;
        await writeFile(file, wrong);
        // With a way past the gateway it would take that.
        const hosts = await hostsFor(all, gateway.url);
        const daemon = await containerd();
        expect((await daemon.fetch(image, network, { hosts })).finished.code).not.toBe(0);
        expect(gateway.log.some(({ msg }) => String(msg).includes('digest'))).toBe(true);

        await writeFile(file, right);
        expect(await daemon.fetched(image, network, { hosts })).toEqual(direct);
      },
    );

    test(
      'of several at once each gets all, and the registry gives each part once',
      shows('concurrent'),
      async () => {
        const all = await scene();
        const { registry, network } = all;
        const direct = await directly(all);
        const before = registry.asked().length;
        const hosts = await hostsFor(all);
        const daemon = await containerd();
        const pulls = Array.from({ length: 4 }, () => daemon.fetched(image, network, { hosts }));
        for (const each of await Promise.all(pulls)) expect(each).toEqual(direct);
        const gets = registry
          .asked()
          .slice(before)
          .filter((each) => each.startsWith('GET'));
        expect(new Set(gets).size).toBe(gets.length);
      },
    );

    test.skipIf(!isNamed)(
      'through a proxy pulls, and again while the registry is switched off',
      shows('HTTPS_PROXY'),
      async () => {
        const { registry, image: it, digest, network, env } = await proxiedRegistry(layer);
        const daemon = await containerd();
        const cold = await daemon.fetched(it, network, { env });
        expect([...cold.keys()]).toContain(digest);
        await registry.close();
        expect(await daemon.fetched(it, network, { env })).toEqual(cold);
      },
    );

    test('reads what millrace setup containerd writes, and undo leaves its folder as it was', async () => {
      const all = await scene();
      const one = await user();
      const own = 'etc/containerd/certs.d/other.test/hosts.toml';
      await one.file(own, 'server = "https://other.test"\n');
      const before = await treeOf(join(one.root, 'etc'));
      await one.setUp('containerd', '--url', all.gateway.url);
      const hosts = join(one.root, 'etc/containerd/certs.d');
      const daemon = await containerd();
      const direct = await directly(all);
      expect(await daemon.fetched(image, all.network, { hosts })).toEqual(direct);
      const { code, stdout } = await one.millrace([
        'doctor',
        'containerd',
        '--url',
        all.gateway.url,
      ]);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringMatching(/containerd +✓ pointed at it/),
      });
      await one.undo('containerd');
      expect(await treeOf(join(one.root, 'etc'))).toEqual(before);
    });
  },
);
