import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How one family of systems keeps the authorities that all its programs trust. */
interface StoreKind {
  readonly folder: string;
  readonly file: string;
  /** What makes a change effective. */
  readonly update: readonly [string, ...string[]];
}

const kinds: readonly StoreKind[] = [
  // Debian, Ubuntu, Alpine: update-ca-certificates(8).
  {
    folder: '/usr/local/share/ca-certificates',
    file: 'millrace-ca.crt',
    update: ['update-ca-certificates'],
  },
  // Fedora, RHEL: update-ca-trust(8).
  {
    folder: '/etc/pki/ca-trust/source/anchors',
    file: 'millrace-ca.pem',
    update: ['update-ca-trust', 'extract'],
  },
];

export interface SystemStoreOptions {
  /** Where the system begins: `/`. */
  readonly root: string;
  /** Runs a program to its end; rejects when it fails. */
  readonly run: (program: string, ...args: string[]) => Promise<void>;
}

/** The store of authorities of this system. */
export class SystemStore {
  readonly #kind: StoreKind;
  readonly #path: string;
  readonly #run: SystemStoreOptions['run'];

  private constructor(kind: StoreKind, { root, run }: SystemStoreOptions) {
    this.#kind = kind;
    this.#path = join(root, kind.folder, kind.file);
    this.#run = run;
  }

  /** Rejects where this system has none that is known. */
  static async find(options: SystemStoreOptions): Promise<SystemStore> {
    for (const kind of kinds) {
      if (await isFolder(join(options.root, kind.folder))) return new SystemStore(kind, options);
    }
    const folders = kinds.map(({ folder }) => folder).join(', ');
    throw new TypeError(
      `this system has no store of authorities that is known (${folders}): use millrace ca export`,
    );
  }

  /** Adds a certificate (PEM) in place of one that was added before; resolves with its path. */
  async add(certificate: string): Promise<string> {
    await permitted(this.#path, () => writeFile(this.#path, certificate, { mode: 0o644 }));
    await this.#update();
    return this.#path;
  }

  /** Takes it out again; resolves with where it was, or undefined where it was not. */
  async remove(): Promise<string | undefined> {
    if (!(await isFile(this.#path))) return undefined;
    await permitted(this.#path, () => rm(this.#path));
    await this.#update();
    return this.#path;
  }

  async #update(): Promise<void> {
    const [program, ...args] = this.#kind.update;
    await this.#run(program, ...args);
  }
}

async function permitted(path: string, change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new TypeError(`${path} is not for this user to write: run the command with sudo`, {
      cause: error,
    });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'folder';
}

async function isFile(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'file';
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
