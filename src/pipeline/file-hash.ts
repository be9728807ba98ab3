import type { BodyPrefix } from '../core/body.ts';
import type { GrowingFile } from '../storage/store.ts';
import { BodyHash, type Proof, type ReadBody, type RunningHash } from './body-hash.ts';
import type { HashTask } from './hash-thread.ts';

/** So much more has to be in the file before the thread is told of it. */
const stepBytes = 2 * 1024 * 1024;

/**
 * SHA-256 of a body that need not have one, by a thread that reads what is in its file, some way
 * behind. Where the thread fails it is begun anew here.
 */
export class FileHash implements RunningHash {
  readonly #task: HashTask;
  readonly #file: GrowingFile;
  readonly #size: number;
  #noted = 0;
  /** Somebody wants to know of the bytes up to there, and not of more. */
  #limit = Number.POSITIVE_INFINITY;
  /** In place of the thread. */
  #here: BodyHash | undefined;

  constructor(task: HashTask, file: GrowingFile, size: number) {
    this.#task = task;
    this.#file = file;
    this.#size = size;
  }

  get proof(): Proof | undefined {
    return this.#here?.proof;
  }

  get position(): number {
    return this.#here?.position ?? this.#task.prefix.bytes;
  }

  update(position: number, chunk: Uint8Array): void {
    this.#here?.update(position, chunk);
  }

  follow(end: number, read: ReadBody, isAwaited = false): void {
    if (!this.#task.failed) this.#note(stepBytes);
    else this.#instead().follow(end, read, isAwaited);
  }

  prefix(): BodyPrefix {
    return this.#here?.prefix() ?? this.#task.prefix;
  }

  async reaches(bytes: number): Promise<void> {
    this.#limit = bytes;
    this.#note(1);
    await this.#task.reaches(Math.min(bytes, this.#noted));
    this.#limit = Number.POSITIVE_INFINITY;
  }

  async finish(size: number, read: ReadBody): Promise<Proof> {
    const reached = this.#task.reaches(size);
    // What cannot be written is not stored: it needs no hash.
    await this.#file.flushed();
    this.#limit = size;
    this.#note(1);
    if (await reached) return { sha256: this.#task.prefix.sha256, matches: true };
    return this.#instead().finish(size, read);
  }

  close(): void {
    this.#task.drop();
  }

  #note(step: number): void {
    const { path, written } = this.#file;
    const end = Math.min(written, this.#limit);
    if (path === undefined || end < this.#noted + (end === this.#limit ? 1 : step)) return;
    this.#noted = end;
    this.#task.wrote(path, end);
  }

  #instead(): BodyHash {
    this.#here ??= new BodyHash(undefined, this.#size);
    return this.#here;
  }
}
