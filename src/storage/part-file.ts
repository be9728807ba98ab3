import { rename, utimes } from 'node:fs/promises';
import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { ByteRange } from '../core/body.ts';
import { GatewayError } from '../core/errors.ts';
import { RangeSet } from '../policy/byte-range.ts';
import { Backlog, type Block } from './engines/disk-backlog.ts';
import {
  chunksAfter,
  closeFile,
  openFile,
  readAt,
  syncData,
  truncateFile,
  type WriteVector,
  writeVector,
} from './engines/file-io.ts';
import { type PartRecord, partPaths, removePart, writeRecord } from './part-record.ts';
import { bodyMissing, misuse, storageFailed, storageFull } from './storage-error.ts';
import type { PartialBody } from './store.ts';

/** Above the high mark the source pauses; it goes on at the low mark. In bytes. */
const highMark = 4 * 1024 * 1024;
const lowMark = 1024 * 1024;
/** What is given up of a part on a full disk, so that its record has room; in bytes. */
const roomBytes = 64 * 1024;
/** What a crash loses at the most, in milliseconds. */
const saveEveryMs = 1_000;

export interface PartFileOptions {
  /** Where the file is to be, absolute. */
  readonly target: string;
  readonly record: Omit<PartRecord, 'ranges'>;
  /** What an earlier attempt left, where it is to be continued: else the part begins anew. */
  readonly ranges?: readonly ByteRange[];
  /** Instead of the system's. */
  readonly writeVector?: WriteVector;
  readonly writeRecord?: typeof writeRecord;
}

/** Opens the part beside its target. Rejects with a GatewayError of origin `storage`. */
export async function openPartFile(options: PartFileOptions): Promise<PartFile> {
  const { target, record, ranges = [] } = options;
  try {
    // The record comes first: a part without one is somebody else's file.
    if (ranges.length === 0) await writeRecord(target, { ...record, ranges });
    const fd = await openFile(partPaths(target).part, ranges.length === 0 ? 'w+' : 'r+');
    return new PartFile(fd, options);
  } catch (error) {
    throw fileTrouble(error);
  }
}

/**
 * A file that arrives in any order of ranges, in a part beside its target; `commit` moves it there.
 * What has reached the medium is recorded, every second and at the end, so that a later attempt asks
 * only for the rest. `discard` keeps what can be continued, and removes what cannot.
 */
export class PartFile implements PartialBody {
  /** What an earlier attempt left was looked at before: it is given to the fill as present. */
  readonly resumed = undefined;
  readonly #options: PartFileOptions;
  readonly #fd: number;
  readonly #backlog = new Backlog();
  readonly #given = new RangeSet();
  #written = new RangeSet();
  readonly #timer: NodeJS.Timeout;
  #saved: number;
  #saving: Promise<void> | undefined;
  #saveFailure: unknown;
  #failure: GatewayError | undefined;
  #pumping = false;
  #reads = 0;
  #ended: Promise<void> | undefined;
  #waiters: (() => void)[] = [];

  constructor(fd: number, options: PartFileOptions) {
    this.#fd = fd;
    this.#options = options;
    for (const range of options.ranges ?? []) {
      this.#given.add(range);
      this.#written.add(range);
    }
    this.#saved = this.#written.bytes;
    this.#timer = setInterval(() => this.#saveSoon(), saveEveryMs).unref();
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Bytes that a later attempt need not ask for. */
  get kept(): number {
    return this.#isContinuable ? this.#saved : 0;
  }

  /** What kept the last record from being written. */
  get saveFailure(): unknown {
    return this.#saveFailure;
  }

  write(position: number, chunk: Uint8Array): boolean {
    if (this.#ended || this.#failure || chunk.length === 0) return true;
    this.#given.add({ first: position, last: position + chunk.length - 1 });
    this.#backlog.add(position, chunk);
    if (!this.#pumping) void this.#writeBehind();
    return this.#backlog.bytes < highMark;
  }

  async drained(): Promise<void> {
    while (!this.#failure && this.#backlog.bytes > lowMark) await this.#progress();
  }

  async read(position: number, target: Uint8Array): Promise<number> {
    if (this.#ended) throw bodyMissing('the part was closed');
    const waiting = this.#backlog.read(position, target);
    if (waiting > 0) return waiting;
    const end = Math.min(this.#given.runEnd(position), this.#backlog.nextAfter(position));
    const length = Math.min(target.length, end - position);
    if (length <= 0) throw misuse('byte was never written');
    this.#reads += 1;
    try {
      const count = await readAt(this.#fd, target, length, position);
      if (count === 0) throw bodyMissing('a part is shorter than what was written');
      return count;
    } catch (error) {
      throw fileTrouble(error);
    } finally {
      this.#reads -= 1;
      this.#wake();
    }
  }

  /** The key means nothing here: the file has its place. */
  async commit(_key: string, meta: ArtifactMeta): Promise<ArtifactMeta> {
    if (this.#ended) throw misuse('the part was ended before');
    await this.#flushed();
    if (this.#failure) throw this.#failure;
    if (this.#written.runEnd(0) !== meta.body.size) throw misuse('the body is not complete');
    const { target } = this.#options;
    try {
      await syncData(this.#fd);
      this.#ended = this.#close();
      await this.#ended;
      await rename(partPaths(target).part, target);
      await removePart(target);
    } catch (error) {
      throw fileTrouble(error);
    }
    return meta;
  }

  discard(): Promise<void> {
    this.#ended ??= this.#leave();
    return this.#ended;
  }

  suspend(): Promise<void> {
    return this.discard();
  }

  /** Nothing is kept open for readers. */
  release(): void {}

  get #isContinuable(): boolean {
    const { etag, digest, size } = this.#options.record;
    return size !== undefined && (etag !== undefined || digest !== undefined);
  }

  /** Writes what was taken, notes it and lets the file go. */
  async #leave(): Promise<void> {
    await this.#flushed();
    const continuable = this.#isContinuable && this.#written.bytes > 0;
    if (continuable) {
      await this.#saving;
      await this.#save();
      if (isFull(this.#saveFailure)) {
        await this.#makeRoom();
        await this.#save();
      }
    }
    await this.#close();
    if (!continuable) await removePart(this.#options.target);
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving;
    while (this.#reads > 0) await this.#progress();
    await closeFile(this.#fd);
  }

  async #flushed(): Promise<void> {
    while (this.#pumping) await this.#progress();
  }

  #saveSoon(): void {
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
    });
  }

  /** Never fails: what was recorded before still holds. */
  async #save(): Promise<void> {
    const { target, record, writeRecord: write = writeRecord } = this.#options;
    const bytes = this.#written.bytes;
    const ranges = this.#isContinuable ? this.#written.ranges() : [];
    try {
      if (bytes === this.#saved) {
        const now = new Date();
        await utimes(partPaths(target).record, now, now);
        return;
      }
      // A record must not survive a power cut that its bytes do not.
      await syncData(this.#fd);
      await write(target, { ...record, ranges });
      this.#saved = bytes;
      this.#saveFailure = undefined;
    } catch (error) {
      this.#saveFailure = error;
    }
  }

  /** Gives up the end of what was written. */
  async #makeRoom(): Promise<void> {
    const ranges = this.#written.ranges();
    const last = ranges.at(-1);
    if (last === undefined) return;
    const end = Math.max(last.first, last.last + 1 - roomBytes);
    await truncateFile(this.#fd, end);
    this.#written = new RangeSet();
    for (const range of ranges.slice(0, -1)) this.#written.add(range);
    if (end > last.first) this.#written.add({ first: last.first, last: end - 1 });
  }

  async #writeBehind(): Promise<void> {
    this.#pumping = true;
    try {
      for (let run = this.#next(); run; run = this.#next()) {
        await this.#writeRun(run);
        this.#backlog.remove(run);
        this.#wake();
      }
    } catch (error) {
      this.#failure ??= fileTrouble(error);
    } finally {
      this.#pumping = false;
      this.#wake();
    }
  }

  #next(): readonly Block[] | undefined {
    return this.#failure ? undefined : this.#backlog.nextRun(Number.POSITIVE_INFINITY);
  }

  async #writeRun(run: readonly Block[]): Promise<void> {
    const write = this.#options.writeVector ?? writeVector;
    let position = (run[0] as Block).position;
    let chunks = run.map((block) => block.chunk);
    while (chunks.length > 0) {
      const count = await write(this.#fd, chunks, position);
      if (count === 0) throw storageFailed('the file takes no more bytes');
      this.#written.add({ first: position, last: position + count - 1 });
      position += count;
      chunks = chunksAfter(chunks, count);
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

const fullCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && fullCodes.has(error.code);
}

/** What a file operation's failure is called between rooms; Node's error is its cause. */
export function fileTrouble(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return isFull(error)
    ? storageFull('no space is left on the device', error)
    : storageFailed('the file cannot be written', error);
}
