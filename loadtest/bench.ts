import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CacheSettings } from './cache-settings.ts';
import type { LoadCalls } from './load/main.ts';
import { configuredUpstream, generatedUpstream, type RegistryUpstream } from './npm/upstream.ts';
import type { OriginCalls } from './origin/main.ts';
import type { OriginLimits } from './origin/server.ts';
import { type Cores, chooseCores } from './processes/start.ts';
import { Worker } from './processes/worker.ts';

export interface BenchOptions {
  /** Where temporary folders go. */
  readonly dir: string;
  /** Where the gateway's CPU profiles go, when they are wanted. */
  readonly profile: string | undefined;
  /** The gateway runs without V8's optimising compilers. */
  readonly handicap: boolean;
  /** A project from the registry that npm is configured for; undefined: generated packages. */
  readonly npmProject: string | undefined;
}

/** Linux's file system in memory. */
const memoryDir = '/dev/shm';
/** Packages of the generated registry. */
const npmPackages = 320;

/** What all scenarios share: the origin, the load, the cores, a folder that goes at the end. */
export class Bench {
  /** Makes names of objects that no other run has used. */
  readonly id = randomUUID().slice(0, 8);
  readonly root = fileURLToPath(new URL('..', import.meta.url));
  readonly originFile = fileURLToPath(new URL('origin/main.ts', import.meta.url));
  readonly cores: Cores;
  readonly profile: string | undefined;
  readonly handicap: boolean;
  readonly originUrl: string;
  readonly origin: Worker<OriginCalls>;
  readonly load: Worker<LoadCalls>;
  readonly #folder: string;
  readonly #npmProject: string | undefined;
  #registry: Promise<RegistryUpstream> | undefined;
  #inMemory: Promise<string> | undefined;
  #folders = 0;

  private constructor(
    { profile, handicap, npmProject }: BenchOptions,
    parts: {
      cores: Cores;
      folder: string;
      origin: Worker<OriginCalls>;
      originUrl: string;
      load: Worker<LoadCalls>;
    },
  ) {
    this.profile = profile;
    this.handicap = handicap;
    this.#npmProject = npmProject;
    this.cores = parts.cores;
    this.#folder = parts.folder;
    this.origin = parts.origin;
    this.originUrl = parts.originUrl;
    this.load = parts.load;
  }

  static async open(options: BenchOptions): Promise<Bench> {
    const cores = chooseCores();
    const folder = await mkdtemp(join(options.dir, 'millrace-load-'));
    // Peers that give up root's rights have to find theirs in it.
    await chmod(folder, 0o755);
    const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
    const origin = new Worker<OriginCalls>(file('origin/main.ts'), cores.load);
    const load = new Worker<LoadCalls>(file('load/main.ts'), cores.load);
    const originUrl = await origin.call('listen', {});
    return new Bench(options, { cores, folder, origin, originUrl, load });
  }

  /** URLs of the origins that a scenario wants: the one that all share, or its mirrors. */
  async upstreams({ mirrors }: CacheSettings): Promise<readonly [string, ...string[]]> {
    const [first, ...others] = mirrors ?? [];
    if (first === undefined) return [this.originUrl];
    return [await this.#mirror(first), ...(await Promise.all(others.map((l) => this.#mirror(l))))];
  }

  #mirror(limits: OriginLimits): Promise<string> {
    return this.origin.call('listen', limits);
  }

  /**
   * The registry of scenarios about npm. It shares the servers' core: the other one is npm's, whose time
   * is what is measured.
   */
  registry(): Promise<RegistryUpstream> {
    this.#registry ??=
      this.#npmProject === undefined
        ? generatedUpstream(npmPackages, this.cores.server)
        : configuredUpstream(this.#npmProject);
    return this.#registry;
  }

  /** A folder of its own for a server. */
  async folder(name: string): Promise<string> {
    const folder = join(this.#folder, `${this.#folders++}-${name}`);
    await mkdir(folder);
    return folder;
  }

  /** One in memory where the system has a file system for that: for what a client writes. */
  async memoryFolder(name: string): Promise<string> {
    if (!existsSync(memoryDir)) return this.folder(name);
    this.#inMemory ??= mkdtemp(join(memoryDir, 'millrace-load-'));
    const folder = join(await this.#inMemory, `${this.#folders++}-${name}`);
    await mkdir(folder);
    return folder;
  }

  /** Throws where the medium has not that many bytes to spare. */
  async needSpace(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder);
    if (bavail * bsize < bytes) {
      throw new Error(
        `${this.#folder} has ${bavail * bsize} bytes free and ${bytes} are needed: name another place with --dir`,
      );
    }
  }

  /**
   * Has the system's memory at hand for so many bytes of files. What a virtual machine's host must
   * find first costs several times the write itself, whoever happens to be the first: a download that
   * meets it is as fast as the host, and says nothing of who downloads.
   */
  async warmMedium(bytes: number): Promise<void> {
    const path = join(this.#folder, 'warm');
    const piece = Buffer.alloc(1024 * 1024, 1);
    const file = await open(path, 'w');
    try {
      for (let at = 0; at < bytes; at += piece.length) await file.write(piece, 0, piece.length, at);
    } finally {
      await file.close();
      await rm(path);
    }
  }

  async close(): Promise<void> {
    this.load.close();
    this.origin.close();
    (await this.#registry)?.close();
    for (const folder of [this.#folder, await this.#inMemory]) {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }
  }
}
