import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import type { Bench } from '../bench.ts';
import { monotonicMs } from '../processes/monotonic.ts';
import { startPinned } from '../processes/start.ts';
import type { ProjectFiles, RegistryUpstream } from './upstream.ts';

export interface Installed {
  readonly ms: number;
  /** What npm said, or what is missing; undefined: all is there, each tarball as the lockfile says. */
  readonly problem: string | undefined;
}

/** npm as its user runs it: `ci` by the lockfile, `install` without one. */
export type NpmCommand = 'ci' | 'install';

/** Installs a project from the registry at `base`, with an empty cache; it is deleted afterwards. */
export async function runNpm(
  bench: Bench,
  { project, installs }: RegistryUpstream,
  base: string,
  command: NpmCommand,
): Promise<Installed> {
  const folder = await bench.memoryFolder(`npm-${command}`);
  const files: Partial<ProjectFiles> = project(base);
  for (const [name, content] of Object.entries(files)) {
    if (command === 'ci' || name === 'package.json') await writeFile(join(folder, name), content);
  }
  const home = await bench.memoryFolder('npm-home');
  const startedAt = monotonicMs();
  const child = startPinned('npm', [command], bench.cores.load, {
    cwd: folder,
    env: environment(base, home),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = Promise.all([child.stdout, child.stderr].map((each) => (each ? text(each) : '')));
  const [code] = (await once(child, 'close')) as [number | null];
  const ms = monotonicMs() - startedAt;
  const problem =
    code === 0
      ? await missing(join(folder, 'node_modules'), installs)
      : `npm ${command} ended with ${code}: ${(await said).join('').trim().slice(0, 500)}`;
  await Promise.all([folder, home].map((each) => rm(each, { recursive: true, force: true })));
  return { ms, problem };
}

/** Of the host's configuration only whom it trusts and its proxy, and nothing that is not an install. */
function environment(base: string, home: string): NodeJS.ProcessEnv {
  const { PATH, NODE_EXTRA_CA_CERTS, HTTPS_PROXY, NO_PROXY, npm_config_cafile } = process.env;
  return {
    PATH,
    NODE_EXTRA_CA_CERTS,
    HTTPS_PROXY,
    NO_PROXY,
    npm_config_cafile,
    HOME: home,
    npm_config_cache: join(home, 'cache'),
    npm_config_userconfig: join(home, 'npmrc'),
    npm_config_globalconfig: join(home, 'global-npmrc'),
    npm_config_registry: `${base}/`,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_progress: 'false',
    npm_config_ignore_scripts: 'true',
    npm_config_update_notifier: 'false',
    npm_config_replace_registry_host: 'never',
  };
}

/** npm holds each tarball to its `integrity`; here it is seen that none was left out. */
async function missing(modules: string, installs: number): Promise<string | undefined> {
  const names = (await readdir(modules)).filter((name) => !name.startsWith('.'));
  const counts = names.map(async (name) =>
    name.startsWith('@') ? (await readdir(join(modules, name))).length : 1,
  );
  const there = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  return there >= installs ? undefined : `${there} of ${installs} packages were installed`;
}
