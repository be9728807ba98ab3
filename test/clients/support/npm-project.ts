import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';
import type { IsolatedNetwork } from './isolated.ts';
import { attempt, type Finished, run } from './run.ts';

export interface NpmProjectOptions {
  /** The registry's URL, with or without a trailing slash. */
  readonly registry: string;
  /** Lines of an `.npmrc` besides. */
  readonly npmrc?: readonly string[];
  /** What npm sees of an environment besides. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs; without it the host's own network. */
  readonly network?: IsolatedNetwork;
}

/** A project of npm's, with a cache and a configuration of its own: nothing of the host's. */
export class NpmProject {
  readonly folder: string;
  readonly #home: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #network: IsolatedNetwork;

  constructor(folder: string, home: string, { env, network }: NpmProjectOptions) {
    this.folder = folder;
    this.#home = home;
    this.#env = env ?? {};
    this.#network = network ?? { attempt, run };
  }

  /** Runs npm in the project. Throws with all it said when it fails. */
  npm(...args: readonly string[]): Promise<Finished> {
    return this.#network.run('npm', args, this.#options());
  }

  /** The same for a command that may fail. */
  attempt(...args: readonly string[]): Promise<Finished> {
    return this.#network.attempt('npm', args, this.#options());
  }

  lockfile(): Promise<string> {
    return readFile(join(this.folder, 'package-lock.json'), 'utf8');
  }

  /** What the installed module of the package says. */
  async installed(name: string): Promise<string> {
    const text = await readFile(join(this.folder, 'node_modules', name, 'index.js'), 'utf8');
    return /'(.*)'/.exec(text)?.[1] ?? '';
  }

  #options() {
    const env = {
      HOME: this.#home,
      npm_config_cache: join(this.#home, 'cache'),
      npm_config_userconfig: join(this.#home, '.npmrc'),
      npm_config_globalconfig: join(this.#home, 'global-npmrc'),
      ...this.#env,
    };
    return { cwd: this.folder, env };
  }
}

/** A project with these dependencies, and an empty cache. */
export async function npmProject(
  dependencies: Readonly<Record<string, string>>,
  options: NpmProjectOptions,
): Promise<NpmProject> {
  const project = await emptyProject(options);
  const manifest = { name: 'project', version: '1.0.0', private: true, dependencies };
  await writeFile(join(project.folder, 'package.json'), JSON.stringify(manifest, null, 2));
  return project;
}

/** Another checkout of a project, lockfile included, with an empty cache. */
export async function checkout(
  project: NpmProject,
  options: NpmProjectOptions,
): Promise<NpmProject> {
  const copy = await emptyProject(options);
  for (const name of ['package.json', 'package-lock.json']) {
    await copyFile(join(project.folder, name), join(copy.folder, name));
  }
  return copy;
}

async function emptyProject(options: NpmProjectOptions): Promise<NpmProject> {
  const { registry, npmrc = [] } = options;
  const [folder, home] = [await temporaryFolder(), await temporaryFolder()];
  const lines = [
    `registry=${registry.replace(/\/*$/, '/')}`,
    'audit=false',
    'fund=false',
    'update-notifier=false',
    'fetch-retries=0',
    ...npmrc,
  ];
  await writeFile(join(home, '.npmrc'), `${lines.join('\n')}\n`);
  return new NpmProject(folder, home, options);
}
