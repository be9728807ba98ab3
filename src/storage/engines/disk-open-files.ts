import type { BodyFile } from './disk-body-file.ts';

/** Files that stay open without a reader. */
const maxFiles = 256;

/** Open files of the bodies that were read last: opening one again costs more than to read it. */
export class DiskOpenFiles {
  /** By SHA-256, least recently used first; it is a user of each. */
  readonly #files = new Map<string, BodyFile>();
  #closed = false;

  /** For the caller to release; undefined when that body's file is not open. */
  take(sha256: string, size: number): BodyFile | undefined {
    const file = this.#files.get(sha256);
    if (file?.size !== size) return undefined;
    this.#files.delete(sha256);
    this.#files.set(sha256, file);
    return file.retain();
  }

  /** Keeps a file that was opened; the caller goes on being a user of it. */
  add(sha256: string, file: BodyFile): void {
    if (this.#closed) return;
    this.forget(sha256);
    this.#files.set(sha256, file.retain());
    const [oldest] = this.#files.keys();
    if (oldest !== undefined && this.#files.size > maxFiles) this.forget(oldest);
  }

  /** The body is not at its address any more, or could not be read: whoever reads it may go on. */
  forget(sha256: string): void {
    const file = this.#files.get(sha256);
    if (file === undefined) return;
    this.#files.delete(sha256);
    file.release();
  }

  /** Keeps nothing open from now on. */
  close(): void {
    this.#closed = true;
    for (const sha256 of this.#files.keys()) this.forget(sha256);
  }
}
