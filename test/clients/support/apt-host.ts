import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';
import type { IsolatedNetwork } from './isolated.ts';
import { attempt, type Finished, run } from './run.ts';

export interface AptHostOptions {
  /** Lines of its `sources.list`; without them it has the real host's sources and keys. */
  readonly sources?: readonly string[];
  /** The gateway's URL, for `http_proxy`. */
  readonly proxy?: string;
  /** Where the gateway is all that can be reached; without it the real host's. */
  readonly network?: IsolatedNetwork;
  /** Lines of its `apt.conf`. */
  readonly configuration?: readonly string[];
}

/** What apt takes for a host: lists, cache and configuration in a folder; the real host stays as it is. */
export class AptHost {
  readonly #folder: string;
  readonly #proxy: string | undefined;
  readonly #network: IsolatedNetwork;

  constructor(
    folder: string,
    { proxy, network = { attempt, run } }: Pick<AptHostOptions, 'proxy' | 'network'>,
  ) {
    this.#folder = folder;
    this.#proxy = proxy;
    this.#network = network;
  }

  /** Runs `apt-get`. Throws with all it said when it fails. */
  aptGet(...args: readonly string[]): Promise<Finished> {
    return this.#network.run('apt-get', args, this.#options());
  }

  /** The same for a command that may fail. */
  attempt(...args: readonly string[]): Promise<Finished> {
    return this.#network.attempt('apt-get', args, this.#options());
  }

  /** The version that its lists have of a package; undefined: none. */
  async version(name: string): Promise<string | undefined> {
    const { output } = await run('apt-cache', ['madison', name], this.#options());
    return output.split('|')[1]?.trim();
  }

  /** The `.deb` files downloaded so far, by name. */
  async downloads(): Promise<ReadonlyMap<string, Buffer>> {
    const folder = join(this.#folder, 'downloads');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.deb')).sort();
    const bodies = await Promise.all(names.map((name) => readFile(join(folder, name))));
    return new Map(names.map((name, i) => [name, bodies[i] ?? Buffer.alloc(0)]));
  }

  #options() {
    return {
      cwd: join(this.#folder, 'downloads'),
      env: {
        HOME: this.#folder,
        APT_CONFIG: join(this.#folder, 'apt.conf'),
        ...(this.#proxy !== undefined && { http_proxy: this.#proxy, https_proxy: this.#proxy }),
      },
    };
  }
}

const hostSources = [
  'Dir::Etc::sourcelist "/etc/apt/sources.list";',
  'Dir::Etc::sourceparts "/etc/apt/sources.list.d";',
  'Dir::Etc::trusted "/etc/apt/trusted.gpg";',
  'Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";',
];

/** A host of the running test that has downloaded nothing yet. */
export async function aptHost({
  sources,
  configuration = [],
  ...reached
}: AptHostOptions): Promise<AptHost> {
  const folder = await temporaryFolder();
  const folders = [
    'etc/apt.conf.d',
    'etc/preferences.d',
    'etc/sources.list.d',
    'etc/trusted.gpg.d',
  ];
  for (const each of [...folders, 'state/lists/partial', 'cache/archives/partial', 'downloads']) {
    await mkdir(join(folder, each), { recursive: true });
  }
  await writeFile(join(folder, 'etc/sources.list'), `${(sources ?? []).join('\n')}\n`);
  await writeFile(join(folder, 'status'), '');
  const lines = [
    `Dir "${folder}/";`,
    'Dir::Etc "etc/";',
    'Dir::State "state/";',
    `Dir::State::status "${folder}/status";`,
    'Dir::Cache "cache/";',
    'Dir::Log "log/";',
    // Without root apt has no other user to become; as root, its network's too, it is to stay in these
    // folders.
    `APT::Sandbox::User "${reached.network ? 'root' : userInfo().username}";`,
    'Acquire::Retries "0";',
    'Acquire::Languages "none";',
    ...(sources === undefined ? hostSources : []),
    ...configuration,
  ];
  await writeFile(join(folder, 'apt.conf'), `${lines.join('\n')}\n`);
  return new AptHost(folder, reached);
}
