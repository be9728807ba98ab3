import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { treeOf } from '../cli/setup/tree.ts';
import { user } from '../cli/setup/user.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { client, shows } from './support/columns.ts';
import { type DockerRegistry, dockerRegistry } from './support/docker-registry.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { isNamed } from './support/named.ts';
import { proxiedRegistry } from './support/proxied-registry.ts';
import { attempt, type Finished } from './support/run.ts';

const layer = generatedBytes('layer', 0, 600_000);

/** Starts a daemon, pulls, says what came, and ends the daemon: folder, image, options of the daemon. */
const script = `
folder=$1 image=$2
shift 2
mkfifo "$folder/log"
dockerd --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs \
  --data-root="$folder/data" --exec-root="$folder/exec" --pidfile="$folder/pid" \
  --max-download-attempts=1 --host="unix://$folder/sock" "$@" >"$folder/log" 2>&1 &
daemon=$!
exec 3<"$folder/log"
while read -r line <&3; do
  echo "$line" >&2
  case "$line" in *"API listen on"*) break ;; esac
done
cat <&3 >&2 &
export DOCKER_HOST="unix://$folder/sock"
docker pull --quiet "$image" >&2 &&
  docker image inspect --format '{{index .RepoDigests 0}} {{.Id}} {{json .RootFS.Layers}}' "$image"
code=$?
kill "$daemon"
wait "$daemon"
exit "$code"
`;

interface PullOptions {
  /** The text of its `daemon.json`. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a daemon that has nothing yet says of an image once it is to pull it; how that ended. */
async function pull(
  image: string,
  network: Pick<IsolatedNetwork, 'attempt'>,
  { config = '{}', env = {} }: PullOptions = {},
): Promise<Finished> {
  const folder = await temporaryFolder();
  const file = join(folder, 'daemon.json');
  await writeFile(file, config);
  const args = ['-c', script, 'sh', folder, image, `--config-file=${file}`];
  return network.attempt('sh', args, { env: { HOME: folder, ...env } });
}

/** Its digest and what it consists of, for one that has to come. */
async function pulled(...of: Parameters<typeof pull>): Promise<string> {
  const { code, output, errors } = await pull(...of);
  if (code !== 0) throw new Error(output + errors);
  return output.replace(/^[^@]*@/, '');
}

interface Scene {
  readonly registry: DockerRegistry;
  readonly gateway: GatewayProcess;
  readonly network: IsolatedNetwork;
  /** The image's digest. */
  readonly digest: string;
  /** The image by the gateway's address. */
  readonly image: string;
}

/** A registry with an image, a gateway whose default registry it is, and a network with that alone. */
async function scene(listen: { readonly port: number } = { port: 0 }): Promise<Scene> {
  const registry = await dockerRegistry();
  const digest = await registry.push('team/nail:v1', layer);
  const upstreams = [{ url: `http://${registry.host}/v2` }];
  const mounts = [{ path: '/v2', ecosystem: 'oci', upstreams }];
  const gateway = await gatewayProcess({ mounts, listen: { host: '127.0.0.1', ...listen } });
  const network = await isolatedNetwork(gateway.url);
  const image = `${new URL(gateway.url).host}/team/nail:v1`;
  return { registry, gateway, network, digest, image };
}

const tools = ['dockerd', 'docker', 'containerd', 'skopeo', 'docker-registry'] as const;
/** Where the host gives no control groups Docker's daemon does not start. */
const hasControlGroups = ['cgroup.controllers', 'devices'].some((name) =>
  existsSync(join('/sys/fs/cgroup', name)),
);

describe.skipIf(skipUnisolated(...tools) || !hasControlGroups)('docker', client('docker'), () => {
  test(
    'pulls, and again while the registry is switched off, with equal digests',
    shows('cold', 'warm', 'stale', 'lockfile'),
    async () => {
      const { registry, gateway, network, digest, image } = await scene();
      const before = registry.asked().length;
      const direct = await pulled(image, network);
      expect(direct).toContain(digest);
      const cold = registry.asked().slice(before);
      expect(new Set(cold).size).toBe(cold.length);

      // While it is there a tag costs a HEAD, which registries do not count as a pull.
      expect(await pulled(image, network)).toBe(direct);
      const head = 'HEAD /v2/team/nail/manifests/v1';
      expect(registry.asked().slice(before + cold.length)).toEqual([head]);
      await registry.close();
      expect(await pulled(image, network)).toBe(direct);
      await gateway.stop();
    },
  );

  test(
    'of several at once each gets all, and the registry gives each part once',
    shows('concurrent'),
    async () => {
      const { registry, network, digest, image } = await scene();
      const before = registry.asked().length;
      const [first = '', ...others] = await Promise.all([1, 2].map(() => pulled(image, network)));
      expect(first).toContain(digest);
      expect(others).toEqual([first]);
      const gets = registry
        .asked()
        .slice(before)
        .filter((each) => each.startsWith('GET'));
      expect(new Set(gets).size).toBe(gets.length);
    },
  );

  test(
    'gets no blob that was corrupted in the registry, and the right one afterwards',
    shows('corrupted'),
    async () => {
      const { registry, gateway, network, digest, image } = await scene();
      const file = registry.blobFile(await registry.layerOf('team/nail', digest));
      const right = await readFile(file);
      const wrong = Buffer.from(right);
      wrong[300_000] = (wrong[300_000] ?? 0) ^ 1;
      await writeFile(file, wrong);
      expect((await pull(image, network)).code).not.toBe(0);
      expect(gateway.log.some(({ msg }) => String(msg).includes('digest'))).toBe(true);

      await writeFile(file, right);
      expect(await pulled(image, network)).toContain(digest);
    },
  );

  test.skipIf(!isNamed)(
    'through a proxy pulls, and again while the registry is switched off',
    shows('HTTPS_PROXY'),
    async () => {
      const { registry, image, digest, network, env } = await proxiedRegistry(layer);
      expect(await pulled(image, network, { env })).toContain(digest);
      await registry.close();
      expect(await pulled(image, network, { env })).toContain(digest);
    },
  );

  test('takes the gateway for a mirror of Docker Hub as millrace setup docker writes it, and undo leaves its folder as it was', async () => {
    const one = await user();
    await one.file('etc/docker/daemon.json', '{\n  "shutdown-timeout": 5\n}\n');
    const before = await treeOf(join(one.root, 'etc'));
    // Its registry stands for Docker Hub, which setup wants to see: that is asked before it runs.
    const ended = await gatewayProcess({});
    await ended.stop();
    await one.setUp('docker', '--url', ended.url);
    const config = await readFile(join(one.root, 'etc/docker/daemon.json'), 'utf8');
    const { digest } = await scene({ port: Number(new URL(ended.url).port) });
    // The daemon looks up Docker Hub's name before it asks the mirror, so it is not in that network.
    expect(await pulled('team/nail:v1', { attempt }, { config })).toContain(digest);
    await one.undo('docker');
    expect(await treeOf(join(one.root, 'etc'))).toEqual(before);
  });
});
