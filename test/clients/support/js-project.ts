import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';
import type { IsolatedNetwork } from './isolated.ts';
import type { JsClient, Reach } from './js-clients.ts';
import { attempt, type Finished, run } from './run.ts';

export interface JsProjectOptions extends Reach {
  readonly client: JsClient;
  /** Where it runs; without it the host's own network. */
  readonly network?: IsolatedNetwork;
}

/** A project of one package manager's, with a home of its own: nothing of the host's. */
export class JsProject {
  readonly folder: string;
  readonly #home: string;
  readonly #client: JsClient;
  readonly #network: Pick<IsolatedNetwork, 'attempt' | 'run'>;

  constructor(folder: string, home: string, { client, network }: JsProjectOptions) {
    this.folder = folder;
    this.#home = home;
    this.#client = client;
    this.#network = network ?? { attempt, run };
  }

  /** Throws with all that was said where it fails. */
  install(): Promise<Finished> {
    return this.run(...this.#client.install);
  }

  /** As the lockfile says. Throws with all that was said where it fails. */
  installLocked(): Promise<Finished> {
    return this.run(...this.#client.installLocked);
  }

  /** The same as `install` where it may fail. */
  attemptInstall(): Promise<Finished> {
    return this.attempt(...this.#client.install);
  }

  /** Any command of the client's. */
  run(...args: readonly string[]): Promise<Finished> {
    return this.#network.run(...this.#call(args));
  }

  /** The same where it may fail. */
  attempt(...args: readonly string[]): Promise<Finished> {
    return this.#network.attempt(...this.#call(args));
  }

  lockfile(): Promise<string> {
    return readFile(join(this.folder, this.#client.lockfile), 'utf8');
  }

  /** What the installed module of a package says that the project itself depends on. */
  async installed(name: string): Promise<string> {
    const text = await readFile(join(this.folder, 'node_modules', name, 'index.js'), 'utf8');
    return /'(.*)'/.exec(text)?.[1] ?? '';
  }

  #call(args: readonly string[]): Parameters<IsolatedNetwork['run']> {
    // No cache, configuration or state of the host's, and no guess that this is somebody's CI.
    const env = { HOME: this.#home, XDG_CONFIG_HOME: this.#home, XDG_DATA_HOME: this.#home };
    const all = [this.#client.program, ...args];
    return [process.execPath, all, { cwd: this.folder, env }];
  }
}

/** A project with these dependencies; nothing has been downloaded for it. */
export async function jsProject(
  dependencies: Readonly<Record<string, string>>,
  options: JsProjectOptions,
): Promise<JsProject> {
  const [folder, home] = [await temporaryFolder(), await temporaryFolder()];
  const manifest = { name: 'project', version: '1.0.0', private: true, dependencies };
  const files = {
    'package.json': JSON.stringify(manifest, null, 2),
    ...options.client.configure(options, home),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return new JsProject(folder, home, options);
}

/** Another checkout of it, lockfile included, for somebody who has downloaded nothing. */
export async function jsCheckout(
  project: JsProject,
  dependencies: Readonly<Record<string, string>>,
  options: JsProjectOptions,
): Promise<JsProject> {
  const copy = await jsProject(dependencies, options);
  const { lockfile } = options.client;
  await copyFile(join(project.folder, lockfile), join(copy.folder, lockfile));
  return copy;
}
