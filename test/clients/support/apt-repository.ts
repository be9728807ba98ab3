import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { run } from './run.ts';
import { type SigningKey, signingKey } from './signing-key.ts';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

export interface RepositoryOptions {
  readonly origin?: HttpOrigin;
  /** For how long its InRelease says that it is fresh, in seconds. */
  readonly maxAge?: number;
}

const release = '/debian/dists/stable/InRelease';

/** A small apt repository on loopback at `/debian` with one suite and component. */
export class AptRepository {
  readonly origin: HttpOrigin;
  readonly architecture: string;
  readonly key: SigningKey;
  /** For which its InRelease is fresh, in seconds. */
  readonly #maxAge: number | undefined;
  readonly #stanzas: string[] = [];

  constructor(
    { origin, maxAge }: RepositoryOptions & { readonly origin: HttpOrigin },
    architecture: string,
    key: SigningKey,
  ) {
    this.origin = origin;
    this.architecture = architecture;
    this.key = key;
    this.#maxAge = maxAge;
  }

  /** A line of `sources.list`, with the archive below this URL. */
  source(url = this.origin.url): string {
    return `deb [signed-by=${this.key.file}] ${url}/debian stable main`;
  }

  /** Builds the package, puts it into the pool, and publishes the indexes that name it. */
  async add({ name, version }: DebianPackage): Promise<void> {
    const folder = await temporaryFolder();
    const root = join(folder, 'root');
    await mkdir(join(root, 'DEBIAN'), { recursive: true, mode: 0o755 });
    const control = [
      `Package: ${name}`,
      `Version: ${version}`,
      'Architecture: all',
      'Maintainer: Nobody <nobody@example.org>',
      'Description: nothing, for a test',
    ];
    await writeFile(join(root, 'DEBIAN', 'control'), `${control.join('\n')}\n`);
    // The pool's names leave the epoch out.
    const file = `${name}_${version.replace(/^\d+:/, '')}_all.deb`;
    await run('dpkg-deb', ['--root-owner-group', '--build', root, join(folder, file)]);
    const body = await readFile(join(folder, file));
    const path = `pool/main/${name[0]}/${name}/${file}`;
    // As apt asks for it.
    this.origin.serve(`/debian/${path.replaceAll('~', '%7e')}`, {
      body,
      lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT',
    });
    const facts = [`Filename: ${path}`, `Size: ${body.length}`, `SHA256: ${sha256(body)}`];
    this.#stanzas.push([...control, ...facts].join('\n'));
    await this.#publish();
  }

  /** Targets asked for so far, those below `pool` or the others. */
  requests(kind: 'package' | 'index'): HttpOrigin['requests'] {
    return this.origin.requests.filter(
      ({ target }) => target.includes('/pool/') === (kind === 'package'),
    );
  }

  async #publish(): Promise<void> {
    const folder = '/debian/dists/stable';
    // A second between two versions at the least: the dates of HTTP know no less.
    const published = new Date(Date.UTC(2026, 0, 1, 0, 0, this.#stanzas.length)).toUTCString();
    const packages = Buffer.from(`${this.#stanzas.join('\n\n')}\n`);
    const files: readonly (readonly [string, Buffer])[] = [
      [`main/binary-${this.architecture}/Packages`, packages],
      [`main/binary-${this.architecture}/Packages.gz`, gzipSync(packages)],
    ];
    const lines = [
      'Origin: test',
      'Suite: stable',
      'Codename: stable',
      `Date: ${published}`,
      `Architectures: ${this.architecture} all`,
      'Components: main',
      'No-Support-for-Architecture-all: Packages',
      'Acquire-By-Hash: yes',
      'SHA256:',
    ];
    for (const [name, body] of files) {
      lines.push(` ${sha256(body)} ${body.length} ${name}`);
      this.origin.serve(`${folder}/${name}`, { body });
      const byHash = name.replace(/[^/]+$/, `by-hash/SHA256/${sha256(body)}`);
      this.origin.serve(`${folder}/${byHash}`, { body });
    }
    const headers: Record<string, string> = {};
    if (this.#maxAge !== undefined) headers['Cache-Control'] = `max-age=${this.#maxAge}`;
    const body = await this.key.clearSign(`${lines.join('\n')}\n`);
    this.origin.serve(release, { body, lastModified: published, headers });
  }
}

function sha256(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

/** A repository of the running test with these packages, built by dpkg itself. */
export async function aptRepository(
  packages: readonly DebianPackage[],
  options: RepositoryOptions = {},
): Promise<AptRepository> {
  const { output } = await run('dpkg', ['--print-architecture']);
  const origin = options.origin ?? (await httpOrigin());
  const key = await signingKey();
  const repository = new AptRepository({ ...options, origin }, output.trim(), key);
  for (const each of packages) await repository.add(each);
  return repository;
}
