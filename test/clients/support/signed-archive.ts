import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { HttpOrigin } from '../../support/http-origin.ts';
import { signingKey } from './signing-key.ts';

const suite = '/debian/dists/stable';
const components = ['main', 'contrib'] as const;

/** One state of the archive: what is at each path below it. */
type Generation = ReadonlyMap<string, Uint8Array>;

export interface ArchiveOptions {
  readonly origin: HttpOrigin;
  readonly architecture: string;
  /** How many states it will go through. */
  readonly generations: number;
  /** Whether indexes are below `by-hash`, too, and older ones stay there. */
  readonly byHash: boolean;
}

/** An apt repository with a signed InRelease whose states follow each other whenever a test wants. */
export class SignedArchive {
  /** The public key that signed it. */
  readonly key: string;
  readonly origin: HttpOrigin;
  readonly #generations: readonly Generation[];
  #at = -1;

  constructor(key: string, origin: HttpOrigin, generations: readonly Generation[]) {
    this.key = key;
    this.origin = origin;
    this.#generations = generations;
    this.next();
  }

  /** The number of the state that is published, from 1 on. */
  get generation(): number {
    return this.#at + 1;
  }

  /** Moves on to the next state, all at once; stays at the last one. */
  next(): void {
    this.#at = Math.min(this.#at + 1, this.#generations.length - 1);
    const lastModified = dateOf(this.generation);
    for (const [path, body] of this.#generations[this.#at] ?? []) {
      this.origin.serve(path, { body, lastModified });
    }
  }

  /** Moves on whenever an InRelease has been asked for, up to the last state. */
  moveAfterRelease(): void {
    const path = `${suite}/InRelease`;
    const answer = this.origin.handlerOf(path);
    this.origin.handle(path, (request, response) => {
      const answered = answer?.(request, response);
      // This puts the handler of the next state in this one's place.
      this.next();
      if (this.generation < this.#generations.length) this.moveAfterRelease();
      return answered;
    });
  }
}

/** An archive of the running test, its first state published; each has other package lists. */
export async function signedArchive(options: ArchiveOptions): Promise<SignedArchive> {
  const key = await signingKey();
  const generations: Generation[] = [];
  for (let number = 1; number <= options.generations; number++) {
    const files = indexesOf(number, options);
    const release = await key.clearSign(releaseOf(number, files, options));
    const generation = new Map([[`${suite}/InRelease`, release]]);
    for (const [name, body] of files) {
      generation.set(`${suite}/${name}`, body);
      if (options.byHash) {
        const byHash = name.replace(/[^/]+$/, `by-hash/SHA256/${sha256(body)}`);
        generation.set(`${suite}/${byHash}`, body);
      }
    }
    generations.push(generation);
  }
  return new SignedArchive(key.file, options.origin, generations);
}

/** The lists of a state: of each package one version, that of the state. */
function indexesOf(number: number, { architecture }: ArchiveOptions): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const component of components) {
    const stanza = [
      `Package: of-${component}`,
      `Version: ${number}`,
      'Architecture: all',
      'Maintainer: Nobody <nobody@example.org>',
      'Description: nothing, for a test',
      `Filename: pool/${component}/o/of-${component}/of-${component}_${number}_all.deb`,
      'Size: 1',
      `SHA256: ${'0'.repeat(64)}`,
    ];
    const packages = Buffer.from(`${stanza.join('\n')}\n`);
    const name = `${component}/binary-${architecture}/Packages`;
    files.set(name, packages);
    files.set(`${name}.gz`, gzipSync(packages));
  }
  return files;
}

function releaseOf(
  number: number,
  files: ReadonlyMap<string, Buffer>,
  { architecture, byHash }: ArchiveOptions,
): string {
  const lines = [
    'Origin: test',
    'Suite: stable',
    'Codename: stable',
    `Date: ${dateOf(number)}`,
    `Architectures: ${architecture} all`,
    `Components: ${components.join(' ')}`,
    'No-Support-for-Architecture-all: Packages',
    `Acquire-By-Hash: ${byHash ? 'yes' : 'no'}`,
    'SHA256:',
    ...[...files].map(([name, body]) => ` ${sha256(body)} ${body.length} ${name}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** A second between two states: the dates of HTTP know no less. */
function dateOf(number: number): string {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, number)).toUTCString();
}

function sha256(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}
