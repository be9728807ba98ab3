import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { IsolatedNetwork } from './isolated.ts';
import { type Finished, run } from './run.ts';
import { hostPath } from './tools.ts';

/** What it would look for on the host, and what only containers need. */
const disabled = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.restart',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.overlayfs',
  'io.containerd.snapshotter.v1.zfs',
];

/** How an image is fetched. */
export interface FetchOptions {
  /** The folder of its `hosts.toml`. */
  readonly hosts?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A containerd of the running test, in a folder of its own; images come by its client, `ctr`. */
export class Containerd {
  readonly #address: string;
  #namespaces = 0;

  constructor(address: string) {
    this.#address = address;
  }

  /**
   * Fetches all platforms of an image into a namespace that has nothing yet; `ctr` itself speaks with
   * the registry, and containerd verifies each blob. The namespace, and how it ended.
   */
  async fetch(
    image: string,
    network: Pick<IsolatedNetwork, 'attempt'>,
    { hosts, env }: FetchOptions = {},
  ): Promise<{ readonly namespace: string; readonly finished: Finished }> {
    const namespace = `n${this.#namespaces++}`;
    const from = hosts === undefined ? [] : ['--hosts-dir', hosts];
    const args = ['content', 'fetch', '--all-platforms', ...from, image];
    const all = { args: this.#args(namespace, args), env: { HOME: '/nonexistent', ...env } };
    const finished = await network.attempt('ctr', all.args, { env: all.env });
    return { namespace, finished };
  }

  /** The same for one that has to come: its blobs by digest. */
  async fetched(...of: Parameters<Containerd['fetch']>): Promise<ReadonlyMap<string, string>> {
    const { namespace, finished } = await this.fetch(...of);
    if (finished.code !== 0) throw new Error(finished.output + finished.errors);
    return this.blobs(namespace);
  }

  /** What a namespace has of blobs, in Base64, by digest. */
  async blobs(namespace: string): Promise<ReadonlyMap<string, string>> {
    const list = await run('ctr', this.#args(namespace, ['content', 'ls', '-q']));
    const digests = list.output.split('\n').filter((line) => line !== '');
    const blobs = new Map<string, string>();
    for (const digest of digests.sort()) {
      const script = ['-c', '"$@" | base64', 'sh', 'ctr'];
      const get = this.#args(namespace, ['content', 'get', digest]);
      blobs.set(digest, (await run('sh', [...script, ...get])).output);
    }
    return blobs;
  }

  #args(namespace: string, command: readonly string[]): string[] {
    return ['--address', this.#address, '--namespace', namespace, ...command];
  }
}

export async function containerd(): Promise<Containerd> {
  // A socket's path has hundred bytes at most.
  const folder = await mkdtemp(join(tmpdir(), 'containerd-'));
  const address = join(folder, 'sock');
  const config = join(folder, 'config.toml');
  await writeFile(
    config,
    `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ${JSON.stringify(disabled)}
[grpc]
  address = "${address}"
[plugins."io.containerd.metadata.v1.bolt"]
  # What one namespace has no other gets without fetching it.
  content_sharing_policy = "isolated"
`,
  );
  const child = spawn('containerd', ['--config', config], {
    env: { PATH: hostPath },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  const serving = Promise.withResolvers<void>();
  let said = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    said += `${line}\n`;
    if (line.includes('containerd successfully booted')) serving.resolve();
  });
  exited.then(() => serving.reject(new Error(`containerd ended: ${said}`)), serving.reject);
  await serving.promise;
  return new Containerd(address);
}
