import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';
import type { GoModule } from './go-proxy.ts';
import type { IsolatedNetwork } from './isolated.ts';
import type { Finished } from './run.ts';

/** A project on a machine where nothing has been downloaded yet. */
export class GoProject {
  readonly #folder: string;
  readonly #proxy: string;
  readonly #network: Pick<IsolatedNetwork, 'attempt'>;
  readonly #more: Readonly<Record<string, string>>;

  constructor(
    folder: string,
    proxy: string,
    network: Pick<IsolatedNetwork, 'attempt'>,
    /** What `GOSUMDB` says; without it there is no database of what tests make up. */
    database = 'off',
    more: Readonly<Record<string, string>> = {},
  ) {
    this.#folder = folder;
    this.#proxy = proxy;
    this.#network = network;
    this.#more = { GOSUMDB: database, ...more };
  }

  async go(...args: readonly string[]): Promise<Finished> {
    const finished = await this.attempt(...args);
    if (finished.code !== 0) throw new Error(finished.errors);
    return finished;
  }

  attempt(...args: readonly string[]): Promise<Finished> {
    const env = {
      HOME: this.#folder,
      GOPATH: join(this.#folder, 'gopath'),
      GOCACHE: join(this.#folder, 'build'),
      GOENV: 'off',
      GOPROXY: this.#proxy,
      ...this.#more,
      GOTOOLCHAIN: 'local',
      // Its cache is read-only otherwise, and could not be removed.
      GOFLAGS: '-modcacherw',
    };
    return this.#network.attempt('go', args, { cwd: this.#folder, env });
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.#folder, name), text);
  }

  read(name: string): Promise<string> {
    return readFile(join(this.#folder, name), 'utf8');
  }

  async downloaded(): Promise<string[]> {
    const names = await readdir(join(this.#folder, 'gopath/pkg/mod/example.com'));
    return names.sort();
  }
}

/** A project that uses one module. */
export async function goProject(
  proxy: string,
  network: Pick<IsolatedNetwork, 'attempt'>,
  { path, version }: GoModule,
  database?: string,
  more?: Readonly<Record<string, string>>,
): Promise<GoProject> {
  const made = new GoProject(await temporaryFolder(), proxy, network, database, more);
  const name = path.slice(path.lastIndexOf('/') + 1);
  await made.write('go.mod', `module example.org/app\n\ngo 1.16\n\nrequire ${path} ${version}\n`);
  await made.write(
    'main.go',
    `package main\n\nimport "${path}"\n\nfunc main() { _ = ${name}.Name() }\n`,
  );
  return made;
}
