import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The directory of the disk tier: where bodies, partial bodies and the database are. */
export class DiskFiles {
  readonly #dir: string;
  #count = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  get database(): string {
    return join(this.#dir, 'millrace.db');
  }

  makeDirectory(): void {
    makeFolder(resolve(this.#dir));
  }

  /** What an earlier run left half done is put aside for the sweep. Only under the lock. */
  prepare(now: number): void {
    mkdirSync(this.bodies, { recursive: true });
    mkdirSync(this.resumable, { recursive: true });
    if (isDirectory(this.#partials) && readdirSync(this.#partials).length > 0) {
      renameSync(this.#partials, `${this.#partials}.${now}`);
    }
    mkdirSync(this.#partials, { recursive: true });
  }

  /** Directories of partial bodies that earlier runs left. */
  leftovers(): string[] {
    return readdirSync(this.#dir)
      .filter((name) => /^partial\.\d+$/.test(name))
      .map((name) => join(this.#dir, name));
  }

  get bodies(): string {
    return join(this.#dir, 'bodies');
  }

  /** Where the body's file is when it is there. */
  body(sha256: string): string {
    return join(this.bodies, sha256.slice(0, 2), sha256.slice(2));
  }

  /** Where partial bodies are that a later run may take up. */
  get resumable(): string {
    return join(this.#dir, 'resumable');
  }

  resumablePartial(id: string): string {
    return join(this.resumable, id);
  }

  /** A name that is not in use. */
  newPartial(): string {
    return join(this.#partials, String(++this.#count));
  }

  /** Whether the body's file is there, with that size. */
  has(sha256: string, size: number): boolean {
    return statSync(this.body(sha256), { throwIfNoEntry: false })?.size === size;
  }

  /** Moves a complete file to its content's address. */
  adopt(path: string, sha256: string): void {
    const target = this.body(sha256);
    try {
      renameSync(path, target);
    } catch (error) {
      if (!isMissing(error)) throw error;
      mkdirSync(join(this.bodies, sha256.slice(0, 2)), { recursive: true });
      renameSync(path, target);
    }
  }

  /** Undoes `adopt`. */
  restore(sha256: string, path: string): void {
    renameSync(this.body(sha256), path);
  }

  /** Takes a body's file away from its address, to be removed; undefined when it was not there. */
  trash(sha256: string): string | undefined {
    const path = this.newPartial();
    try {
      renameSync(this.body(sha256), path);
      return path;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  get #partials(): string {
    return join(this.#dir, 'partial');
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Node's own recursive `mkdir` never ends where a folder may not have folders, as in `/proc`. */
function makeFolder(path: string): void {
  if (isDirectory(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
