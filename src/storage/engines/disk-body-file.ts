import { readSync } from 'node:fs';
import type { ByteRange } from '../../core/body.ts';
import { closeFile, readAt } from './file-io.ts';
import type { SyncReads } from './sync-reads.ts';

/** What is remembered as read lately, at least and at most: bytes of a part, and parts. */
const leastPartBytes = 64 * 1024;
const mostParts = 16 * 1024;

export interface BodyFileOptions {
  /** Open for reading. */
  readonly fd: number;
  /** Bytes of the body. */
  readonly size: number;
  /** One for all files of a medium. */
  readonly syncReads: SyncReads;
  /** Hears why it could not be closed. */
  readonly failed: (error: unknown) => void;
}

/** A stored body's open file, shared by those that read it; closed when the last one releases it. */
export class BodyFile {
  readonly size: number;
  readonly #options: BodyFileOptions;
  readonly #partBytes: number;
  /** By part: 1 where bytes of it were read since the file was opened. */
  readonly #read: Uint8Array;
  #users = 1;

  /** Its maker is its first user. */
  constructor(options: BodyFileOptions) {
    const { size } = options;
    this.size = size;
    this.#options = options;
    let partBytes = leastPartBytes;
    while (size / partBytes > mostParts) partBytes *= 2;
    this.#partBytes = partBytes;
    this.#read = new Uint8Array(Math.ceil(size / partBytes));
  }

  /** One more user. */
  retain(): this {
    this.#users += 1;
    return this;
  }

  /** Once by each user, when no read of its is on its way. */
  release(): void {
    this.#users -= 1;
    if (this.#users === 0) closeFile(this.#options.fd).catch(this.#options.failed);
  }

  /** Reads up to `length` bytes into `target` on a file thread; 0 at the end of the file. */
  async read(target: Uint8Array, length: number, position: number): Promise<number> {
    const count = await readAt(this.#options.fd, target, length, position);
    this.#read.fill(1, this.#part(position), this.#part(position + count - 1) + 1);
    return count;
  }

  /** Whether the bytes may be read at once just now. */
  isNear({ first, last }: ByteRange): boolean {
    const { syncReads } = this.#options;
    return syncReads.allowed(performance.now()) && this.#wasRead(first, last + 1 - first);
  }

  /**
   * The same at once, where the system has the bytes in memory by all that is known here; otherwise
   * undefined. The first time it never has: what the disk has to fetch is for the file threads.
   */
  readNow(target: Uint8Array, length: number, position: number): number | undefined {
    const { fd, syncReads } = this.#options;
    const before = performance.now();
    if (!syncReads.allowed(before) || !this.#wasRead(position, length)) return undefined;
    const count = readSync(fd, target, 0, length, position);
    // What the system has let go of is not there for what comes next either.
    if (syncReads.took(before, performance.now())) this.#read.fill(0);
    return count;
  }

  #wasRead(position: number, length: number): boolean {
    const last = this.#part(position + length - 1);
    for (let part = this.#part(position); part <= last; part += 1) {
      if (this.#read[part] !== 1) return false;
    }
    return true;
  }

  #part(position: number): number {
    return Math.floor(position / this.#partBytes);
  }
}
