import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from '../processes/worker.ts';
import type { RegistryCalls } from './main.ts';
import { directDependencies } from './package-set.ts';
import { type LockedPackage, tarballPath } from './registry-server.ts';

/** The files of a project, by name. */
export type ProjectFiles = Readonly<Record<'package.json' | 'package-lock.json', string>>;

/** The registry behind everything in a scenario about npm, and a project whose packages it has. */
export interface RegistryUpstream {
  /** Without a slash at the end. */
  readonly url: string;
  readonly packages: number;
  /** How many of them an install puts at the top of `node_modules`, on any platform. */
  readonly installs: number;
  /** The project, with a lockfile whose tarballs are below `base`. */
  project(base: string): ProjectFiles;
  /** Requests since the last time; undefined where nobody can count them. */
  take(): Promise<number | undefined>;
  close(): void;
}

/** A small part of what the way to a public registry takes, and more than loopback. */
const latencyMs = 20;

interface Lockfile {
  readonly packages: Record<string, { version?: string; resolved?: string; name?: string }>;
}

/** One of generated packages, in a process of its own on that core. */
export async function generatedUpstream(
  packages: number,
  core: number | undefined,
): Promise<RegistryUpstream> {
  const file = fileURLToPath(new URL('main.ts', import.meta.url));
  const worker = new Worker<RegistryCalls>(file, core);
  const { url, locked } = await worker.call('listen', { packages, latencyMs });
  return {
    url,
    packages: locked.length,
    installs: locked.length,
    project: (base) => generatedProject(locked, base),
    take: () => worker.call('take', undefined),
    close: () => worker.close(),
  };
}

/** The one that npm here is configured for, and the project in `folder`, with its lockfile. */
export async function configuredUpstream(folder: string): Promise<RegistryUpstream> {
  const { status, stdout } = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' });
  if (status !== 0) throw new Error('npm does not say which registry it is configured for');
  const [manifest, lockText] = await Promise.all(
    ['package.json', 'package-lock.json'].map((name) => readFile(`${folder}/${name}`, 'utf8')),
  );
  if (manifest === undefined || lockText === undefined) throw new Error('no project');
  const { packages } = JSON.parse(lockText) as Lockfile;
  return {
    url: stdout.trim().replace(/\/$/, ''),
    packages: Object.keys(packages).length - 1,
    // Of the others npm alone knows whether they are for this platform.
    installs: Object.keys((JSON.parse(manifest) as { dependencies?: object }).dependencies ?? {})
      .length,
    project: (base) => ({
      'package.json': manifest,
      'package-lock.json': JSON.stringify(below(JSON.parse(lockText) as Lockfile, base)),
    }),
    take: async () => undefined,
    close: () => {},
  };
}

/** A lockfile whose tarballs are all where the registry at `base` has them. */
function below(lockfile: Lockfile, base: string): Lockfile {
  for (const [path, entry] of Object.entries(lockfile.packages)) {
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 13);
    if (path !== '' && entry.version !== undefined) {
      entry.resolved = base + tarballPath(name, entry.version);
    }
  }
  return lockfile;
}

function generatedProject(locked: readonly LockedPackage[], base: string): ProjectFiles {
  const direct = locked.slice(0, directDependencies).map(({ name }) => [name, '^1.0.0']);
  const manifest = {
    name: 'project',
    version: '1.0.0',
    private: true,
    dependencies: Object.fromEntries(direct),
  };
  const entries = locked.map(({ name, version, integrity, dependencies }) => [
    `node_modules/${name}`,
    { version, resolved: base + tarballPath(name, version), integrity, dependencies },
  ]);
  const { name, version } = manifest;
  const lockfile = {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': manifest, ...Object.fromEntries(entries) },
  };
  return {
    'package.json': JSON.stringify(manifest),
    'package-lock.json': JSON.stringify(lockfile),
  };
}
