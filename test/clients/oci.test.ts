import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { client, shows } from './support/columns.ts';
import { type DockerRegistry, dockerRegistry } from './support/docker-registry.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { isNamed, namedHost, ownName } from './support/named.ts';
import { attempt, type Finished } from './support/run.ts';

const layer = generatedBytes('layer', 0, 600_000);

/** The registry as the default one, and by its name. */
function gatewayFor(registry: DockerRegistry): Promise<GatewayProcess> {
  const upstreams = [{ url: `http://${registry.host}/v2` }];
  const mounts = ['/v2', '/v2/registry.test'].map((path) => ({
    path,
    ecosystem: 'oci',
    upstreams,
  }));
  return gatewayProcess({ mounts });
}

interface CopyOptions {
  /** The text of its registries.conf. */
  readonly registries?: string;
  /** Over TLS with a certificate that it trusts, and in no other way. */
  readonly verified?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** What of an image ends in a folder: the digest of its index, and all files by name. */
interface Copied {
  readonly finished: Finished;
  readonly folder: string;
}

/** Copies all platforms of an image to an empty folder; every byte is verified by skopeo itself. */
async function copy(
  image: string,
  network: { readonly attempt: typeof attempt } = { attempt },
  { registries = '', verified = false, env = {} }: CopyOptions = {},
): Promise<Copied> {
  const folder = await temporaryFolder();
  const args = ['--insecure-policy', 'copy', '--all', '--preserve-digests'];
  const from = [`--src-tls-verify=${verified}`, `docker://${image}`, `dir:${folder}`];
  const home = await temporaryFolder();
  await mkdir(join(home, '.config', 'containers'), { recursive: true });
  await writeFile(join(home, '.config', 'containers', 'registries.conf'), registries);
  const all = { HOME: home, XDG_RUNTIME_DIR: home, TMPDIR: home, ...env };
  const finished = await network.attempt('skopeo', [...args, ...from], { env: all });
  return { finished, folder };
}

async function copied(...args: Parameters<typeof copy>): Promise<string> {
  const { finished, folder } = await copy(...args);
  if (finished.code !== 0) throw new Error(finished.errors);
  return folder;
}

/** The files of a folder with their bytes. */
async function contents(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = (await readdir(folder)).sort();
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(folder, name))] as const),
    ),
  );
}

function hostOf({ url }: GatewayProcess): string {
  return new URL(url).host;
}

describe.skipIf(skipUnisolated('skopeo', 'docker-registry') || !isNamed)(
  'skopeo through HTTPS_PROXY',
  client('skopeo'),
  () => {
    test(
      'copies an image, and again while the registry is switched off, from the entries of the mount',
      shows('HTTPS_PROXY'),
      async () => {
        const named = await namedHost();
        const { ca, chain, key } = named;
        const registry = await dockerRegistry({ host: ownName, chain, key });
        await registry.push('team/nail:v1', layer);
        const gateway = await named.gateway('oci', `https://${registry.host}/v2`);
        const network = await isolatedNetwork(gateway.url);
        const image = `${registry.host}/team/nail:v1`;
        const env = { HTTPS_PROXY: gateway.url, SSL_CERT_FILE: ca };
        const direct = await contents(await copied(image));
        const proxied = async () => contents(await copied(image, network, { verified: true, env }));
        expect(await proxied()).toEqual(direct);
        const mounted = await copied(`${hostOf(gateway)}/team/nail:v1`, network);
        expect(await contents(mounted)).toEqual(direct);
        const gets = registry.asked().length;
        await registry.close();
        expect(await proxied()).toEqual(direct);
        expect(registry.asked()).toHaveLength(gets);
      },
    );
  },
);

describe.skipIf(skipUnisolated('skopeo', 'docker-registry'))(
  'skopeo',
  client('skopeo', { lockfile: 'there is none; digests are compared' }),
  () => {
    test(
      'copies an image, and again while the registry is switched off, in both forms',
      shows('cold', 'warm', 'stale'),
      async () => {
        const registry = await dockerRegistry();
        const digest = await registry.push('team/nail:v1', layer);
        const gateway = await gatewayFor(registry);
        const network = await isolatedNetwork(gateway.url);
        const direct = await contents(await copied(`${registry.host}/team/nail:v1`));
        const before = registry.asked().length;
        const image = `${hostOf(gateway)}/team/nail:v1`;
        expect(await contents(await copied(image, network))).toEqual(direct);
        const cold = registry.asked().slice(before);
        expect(new Set(cold).size).toBe(cold.length);

        // While it is there a tag costs a HEAD, and so does, once, what is stored under another URL.
        await copied(image, network);
        await copied(`${hostOf(gateway)}/team/nail@${digest}`, network);
        expect(registry.asked().slice(before + cold.length)).toEqual([
          'HEAD /v2/team/nail/manifests/v1',
          `HEAD /v2/team/nail/manifests/${digest}`,
        ]);

        await registry.close();
        for (const form of ['team/nail', 'registry.test/team/nail']) {
          const warm = await copied(`${hostOf(gateway)}/${form}:v1`, network);
          expect(await contents(warm)).toEqual(direct);
        }
        await gateway.stop();
      },
    );

    test('copies an image under its own name, where its configuration names the gateway', async () => {
      const registry = await dockerRegistry();
      await registry.push('team/nail:v1', layer);
      const gateway = await gatewayFor(registry);
      const location = `${hostOf(gateway)}/registry.test`;
      const lines = ['[[registry]]', 'prefix = "registry.test"', `location = "${location}"`];
      const registries = [...lines, 'insecure = true', ''].join('\n');
      const network = await isolatedNetwork(gateway.url);
      const folder = await copied('registry.test/team/nail:v1', network, { registries });
      expect(await contents(folder)).toEqual(
        await contents(await copied(`${registry.host}/team/nail:v1`)),
      );
    });

    test(
      'gets no blob that was corrupted in the registry, and the right one afterwards',
      shows('corrupted'),
      async () => {
        const registry = await dockerRegistry();
        await registry.push('team/nail:v1', layer);
        const gateway = await gatewayFor(registry);
        const network = await isolatedNetwork(gateway.url);
        const direct = await contents(await copied(`${registry.host}/team/nail:v1`));
        const [name = ''] = [...direct].find(([, bytes]) => bytes.length > layer.length) ?? [];
        const file = registry.blobFile(`sha256:${name}`);
        const right = await readFile(file);
        const wrong = Buffer.from(right);
        wrong[300_000] = (wrong[300_000] ?? 0) ^ 1;
        await writeFile(file, wrong);
        const image = `${hostOf(gateway)}/team/nail:v1`;
        expect((await copy(image, network)).finished.code).not.toBe(0);
        expect(gateway.log.some(({ msg }) => String(msg).includes('digest'))).toBe(true);

        await writeFile(file, right);
        expect(await contents(await copied(image, network))).toEqual(direct);
      },
    );

    test(
      'of several at once each gets all, and the registry gives each part once',
      shows('concurrent'),
      async () => {
        const registry = await dockerRegistry();
        await registry.push('team/nail:v1', layer);
        const gateway = await gatewayFor(registry);
        const network = await isolatedNetwork(gateway.url);
        const before = registry.asked().length;
        const image = `${hostOf(gateway)}/team/nail:v1`;
        const folders = await Promise.all(Array.from({ length: 4 }, () => copied(image, network)));
        const gets = registry
          .asked()
          .slice(before)
          .filter((each) => each.startsWith('GET'));
        expect(new Set(gets).size).toBe(gets.length);
        const [first, ...others] = await Promise.all(folders.map(contents));
        for (const each of others) expect(each).toEqual(first);
      },
    );

    test('cannot push through the gateway, and hears why', async () => {
      const registry = await dockerRegistry();
      await registry.push('team/nail:v1', layer);
      const gateway = await gatewayFor(registry);
      const network = await isolatedNetwork(gateway.url);
      const folder = await copied(`${registry.host}/team/nail:v1`);
      const to = [`dir:${folder}`, `docker://${hostOf(gateway)}/team/mine:v1`];
      const args = ['--insecure-policy', 'copy', '--all', '--dest-tls-verify=false', ...to];
      const { code, errors } = await network.attempt('skopeo', args);
      expect(code).not.toBe(0);
      expect(errors).toContain('push to the registry itself');
    });

    test('lists tags and inspects', async () => {
      const registry = await dockerRegistry();
      for (const tag of ['v1', 'v2']) await registry.push(`team/nail:${tag}`, layer);
      const gateway = await gatewayFor(registry);
      const { run } = await isolatedNetwork(gateway.url);
      const image = `docker://${hostOf(gateway)}/registry.test/team/nail`;
      const tags = await run('skopeo', ['list-tags', '--tls-verify=false', image]);
      expect(JSON.parse(tags.output).Tags).toEqual(['v1', 'v2']);
      const inspected = await run('skopeo', ['inspect', '--tls-verify=false', `${image}:v1`]);
      expect(JSON.parse(inspected.output).RepoTags).toEqual(['v1', 'v2']);
    });
  },
);
