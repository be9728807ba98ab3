import type { Extents } from '../extents.ts';
import { bodyMissing, storageFailed } from '../storage-error.ts';
import { Backlog, type Block, type SpareBlocks } from './disk-backlog.ts';
import { isMissing } from './disk-files.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import {
  chunksAfter,
  closeFile,
  openFile,
  readAt,
  removeFile,
  syncData,
  type WriteVector,
} from './file-io.ts';
import type { Slots } from './slots.ts';

/** Above the high mark the source pauses; it goes on at the low mark. In bytes. */
const highMark = 2 * 1024 * 1024;
const lowMark = 512 * 1024;
/** How long a file that grows no more stays open for readers that lag behind, in milliseconds. */
const lingerMs = 30_000;

export interface PartialFileOptions {
  readonly path: string;
  /** The file is there already, with bytes in it. */
  readonly exists?: boolean;
  /** Hears of bytes once they are in the file. */
  readonly onWritten?: (position: number, chunks: readonly Uint8Array[]) => void;
  readonly writeVector: WriteVector;
  readonly trouble: DiskTrouble;
  readonly spareBlocks: SpareBlocks;
  /** Keeps syncing from taking all of the runtime's file threads. */
  readonly syncSlots: Slots;
}

/** A file that is written behind, in any order, and read while it grows. */
export class PartialFile {
  readonly #options: PartialFileOptions;
  readonly #backlog: Backlog;
  #path: string;
  #fd: Promise<number> | undefined;
  #state: 'growing' | 'settled' | 'discarded' = 'growing';
  #limit: number;
  #pumping = false;
  #reads = 0;
  #wasRead = false;
  /** Whoever read it has said that nobody does any more. */
  #released = false;
  #failure: Error | undefined;
  #linger: NodeJS.Timeout | undefined;
  #waiters: (() => void)[] = [];

  /** Positions from `limit` on wait until `allow`. */
  constructor(options: PartialFileOptions, limit: number) {
    this.#options = options;
    this.#backlog = new Backlog(options.spareBlocks);
    this.#path = options.path;
    this.#limit = limit;
  }

  get path(): string {
    return this.#path;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  write(position: number, chunk: Uint8Array): boolean {
    this.#backlog.add(position, chunk);
    this.#pump();
    return this.#backlog.bytes < highMark;
  }

  /** All of its bytes at once, which stay the caller's and may not change; nothing else is written. */
  writeWhole(bytes: Uint8Array): void {
    this.#backlog.adopt(bytes);
    this.#pump();
  }

  async drained(): Promise<void> {
    while (!this.#failure && this.#backlog.bytes > lowMark) await this.#progress();
  }

  /** Positions below `limit` may be written: there is space for them. */
  allow(limit: number): void {
    this.#limit = limit;
    this.#pump();
  }

  /** Stops writing; what was taken stays readable. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** Copies what is there from `position` on; the byte at `position` must be in `extents`. */
  async read(position: number, target: Uint8Array, extents: Extents): Promise<number> {
    const waiting = this.#backlog.read(position, target);
    if (waiting > 0) return waiting;
    const end = Math.min(extents.endFrom(position), this.#backlog.nextAfter(position));
    const length = Math.min(target.length, end - position);
    this.#reads++;
    this.#wasRead = true;
    this.#released = false;
    try {
      const count = await readAt(await this.#open(), target, length, position);
      if (count === 0) throw bodyMissing('a partial body is shorter than what was written');
      return count;
    } catch (error) {
      if (isMissing(error)) throw bodyMissing('the body was evicted', error);
      throw this.#options.trouble.note(error, 'files');
    } finally {
      this.#reads--;
      this.#rest();
    }
  }

  /** First byte, of the run from the beginning of the body, that is not in the file yet. */
  written(extents: Extents): number {
    return Math.min(extents.endFrom(0), this.#backlog.nextAfter(-1));
  }

  /** Resolves when all that was taken is in the file; throws what made a write fail. */
  async flushed(): Promise<void> {
    await this.#written();
    if (this.#failure) throw this.#failure;
  }

  /**
   * Resolves when all that was written is on the medium itself, so that the rename that follows
   * cannot survive a power cut that the bytes do not. Throws what made a write fail.
   */
  async sync(): Promise<void> {
    await this.flushed();
    try {
      const fd = await this.#open();
      await this.#options.syncSlots.use(() => syncData(fd));
    } catch (error) {
      throw this.#options.trouble.note(error, 'files');
    }
  }

  /** The body is stored at `path`: this file, moved, or (`other`) one with the same bytes. */
  async settle(path: string, other: boolean): Promise<void> {
    const left = this.#path;
    this.#path = path;
    this.#state = 'settled';
    this.#backlog.end();
    this.#rest();
    if (!other) return;
    this.#close();
    await this.#remove(left);
  }

  /** Ends writing, and leaves the file where it is; resolves when all that can be written is. */
  async suspend(): Promise<void> {
    await this.#written();
    while (this.#pumping) await this.#progress();
    this.#state = 'settled';
    this.fail(bodyMissing('the body was laid aside'));
    this.#backlog.end();
    this.#rest();
  }

  /**
   * Removes the file unless it is settled. Readers that lag behind keep the open file for as long as
   * they go on reading.
   */
  async discard(): Promise<void> {
    const removes = this.#state === 'growing';
    if (removes) this.#state = 'discarded';
    this.fail(bodyMissing('the body was discarded'));
    while (this.#pumping) await this.#progress();
    this.#backlog.end();
    const made = this.#fd !== undefined || this.#options.exists === true;
    if (this.#wasRead && removes) this.#rest();
    else this.#close();
    if (removes && made) await this.#remove(this.#path);
  }

  /** Nobody reads it any more: a file that grows no more is closed at once. */
  release(): void {
    this.#released = true;
    if (!this.#pumping) this.#rest();
  }

  #pump(): void {
    if (this.#pumping || this.#failure || !this.#backlog.has(this.#limit)) return;
    void this.#writeBehind();
  }

  #run(): readonly Block[] | undefined {
    return this.#failure ? undefined : this.#backlog.nextRun(this.#limit);
  }

  async #writeBehind(): Promise<void> {
    this.#pumping = true;
    try {
      const fd = await this.#open();
      for (let run = this.#run(); run; run = this.#run()) {
        await this.#writeRun(fd, run);
        this.#noteWritten(run);
        this.#backlog.remove(run);
        this.#options.trouble.succeeded('files');
        this.#wake();
      }
    } catch (error) {
      this.fail(this.#options.trouble.note(error, 'files'));
    } finally {
      this.#pumping = false;
      this.#wake();
    }
  }

  #noteWritten(run: readonly Block[]): void {
    const { onWritten } = this.#options;
    onWritten?.(
      (run[0] as Block).position,
      run.map(({ chunk }) => chunk),
    );
  }

  async #written(): Promise<void> {
    while (!this.#failure && (this.#pumping || this.#backlog.bytes > 0)) await this.#progress();
  }

  async #writeRun(fd: number, run: readonly Block[]): Promise<void> {
    let position = (run[0] as Block).position;
    let chunks = run.map((block) => block.chunk);
    while (chunks.length > 0) {
      const written = await this.#options.writeVector(fd, chunks, position);
      if (written === 0) throw storageFailed('a file of the cache takes no more bytes');
      position += written;
      chunks = chunksAfter(chunks, written);
    }
  }

  /** The file: made while it grows, opened again for readers that come after it was closed. */
  #open(): Promise<number> {
    if (this.#fd) return this.#fd;
    if (this.#state === 'discarded') throw bodyMissing('the body was discarded');
    const growing = this.#options.exists ? 'r+' : 'wx+';
    this.#fd = openFile(this.#path, this.#state === 'growing' ? growing : 'r');
    return this.#fd;
  }

  /** After a read: a file that grows no more is closed when no reader has come for a while. */
  #rest(): void {
    clearTimeout(this.#linger);
    if (this.#reads > 0 || this.#state === 'growing') return;
    if (this.#released) {
      this.#close();
      return;
    }
    this.#linger = setTimeout(() => this.#close(), lingerMs).unref();
  }

  #close(): void {
    clearTimeout(this.#linger);
    if (this.#reads > 0) return;
    const fd = this.#fd;
    this.#fd = undefined;
    fd?.then(closeFile).catch((error) => this.#options.trouble.note(error, 'files'));
  }

  async #remove(path: string): Promise<void> {
    try {
      await removeFile(path);
    } catch (error) {
      throw this.#options.trouble.note(error, 'files');
    }
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
