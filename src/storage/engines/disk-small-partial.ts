import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import { requireBodyRef } from '../body-ref.ts';
import { Extents } from '../extents.ts';
import type { LowerPartial } from '../lower-store.ts';
import { bodyMissing, misuse } from '../storage-error.ts';
import { lingerMs, type PartialSource } from './disk-partial.ts';
import type { PartialFile } from './disk-partial-file.ts';
import type { Reservation } from './disk-space.ts';

/** What all such bodies need of their store. */
export interface SmallPartialHost {
  /** Stores the body and its record, both or neither, and settles the reservation. */
  commit(
    key: string,
    meta: ArtifactMeta,
    source: PartialSource,
    reservation: Reservation,
  ): Promise<void>;
  /** A file with these bytes, which is being written; undefined where they are a row of the database. */
  fileFor(bytes: Uint8Array): PartialFile | undefined;
  /** It was committed or discarded. */
  ended(partial: DiskSmallPartial): void;
}

/**
 * A body that was announced to be small on its way to the disk, in one buffer of its own, which the
 * memory tier keeps. Most bodies are like that, so it has no more than it needs: it never waits or
 * fails, and where it is to be a file it becomes one when all of it is there.
 */
export class DiskSmallPartial implements LowerPartial {
  readonly resumed = undefined;
  readonly failure = undefined;
  readonly #host: SmallPartialHost;
  readonly #reservation: Reservation;
  readonly #bytes: Buffer;
  /** As long as bytes come in order, those up to here are there; then `#extents` knows. */
  #end = 0;
  #extents: Extents | undefined;
  #state: 'open' | 'committing' | 'committed' | 'discarded' = 'open';
  #laidAside = false;
  #committing: Promise<void> | undefined;
  #linger: NodeJS.Timeout | undefined;

  /** `size` bytes at most, for which that is reserved. */
  constructor(size: number, reservation: Reservation, host: SmallPartialHost) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
    this.#reservation = reservation;
    this.#host = host;
  }

  /** What was announced, in bytes. */
  get size(): number {
    return this.#bytes.length;
  }

  write(position: number, chunk: Uint8Array): boolean {
    if (this.#state !== 'open' || chunk.length === 0) return true;
    const end = position + chunk.length;
    if (end > this.#bytes.length) throw misuse('a body is longer than announced');
    if (position === this.#end && !this.#extents) this.#end = end;
    else this.#addExtent(position, end);
    this.#bytes.set(chunk, position);
    return true;
  }

  async drained(): Promise<void> {
    // Nothing waits.
  }

  async read(position: number, target: Uint8Array): Promise<number> {
    const end = this.#endFrom(position);
    if (end === position) throw misuse('byte was never written');
    if (target.length === 0) throw misuse('there is no room to read into');
    this.#linger?.refresh();
    return this.#bytes.copy(target, 0, position, Math.min(end, position + target.length));
  }

  inMemory(size: number): Uint8Array | undefined {
    return this.#whole(size);
  }

  async commit(key: string, meta: ArtifactMeta): Promise<ArtifactMeta> {
    requireBodyRef(meta.body);
    if (this.#laidAside) throw bodyMissing('the body was laid aside: its store is being closed');
    if (this.#state !== 'open') throw misuse('the partial body was ended before');
    const bytes = this.#whole(meta.body.size);
    if (!bytes) throw misuse('the body is not complete');
    this.#state = 'committing';
    this.#committing = this.#store(key, meta, bytes);
    try {
      await this.#committing;
    } catch (error) {
      this.#state = 'open';
      this.#linger = setTimeout(() => this.#giveUp(), lingerMs).unref();
      throw error;
    }
    this.#state = 'committed';
    this.#host.ended(this);
    return meta;
  }

  /** While a commit is on its way it decides. */
  async discard(): Promise<void> {
    if (this.#state === 'open') this.#giveUp();
  }

  /** What is small is fetched anew rather than taken up. */
  async suspend(): Promise<void> {
    this.#laidAside = true;
    // Whoever closes the store closes it for a commit that has only just begun, too.
    if (this.#state === 'committing') await Promise.allSettled([this.#committing]);
    await this.discard();
  }

  /** Nothing is open. */
  release(): void {}

  #store(key: string, meta: ArtifactMeta, bytes: Uint8Array): Promise<void> {
    const file = this.#host.fileFor(bytes);
    if (file) return this.#storeFile(key, meta, file);
    return this.#host.commit(key, meta, { bytes }, this.#reservation);
  }

  async #storeFile(key: string, meta: ArtifactMeta, file: PartialFile): Promise<void> {
    try {
      await file.sync();
      await this.#host.commit(key, meta, { file }, this.#reservation);
      // Whoever reads on reads what is in memory.
      file.release();
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  #giveUp(): void {
    clearTimeout(this.#linger);
    this.#state = 'discarded';
    this.#host.ended(this);
    this.#reservation.release();
  }

  #addExtent(start: number, end: number): void {
    if (!this.#extents) {
      this.#extents = new Extents();
      if (this.#end > 0) this.#extents.add(0, this.#end);
    }
    this.#extents.add(start, end);
  }

  /** End of the run of bytes that begins at `position`, or `position` when that byte is not there. */
  #endFrom(position: number): number {
    return this.#extents ? this.#extents.endFrom(position) : Math.max(position, this.#end);
  }

  #whole(size: number): Uint8Array | undefined {
    const isWhole = this.#extents ? this.#extents.isWhole(size) : this.#end === size;
    if (!isWhole) return undefined;
    return size === this.#bytes.length ? this.#bytes : shorter(this.#bytes, size);
  }
}

/** A copy, without memory behind it. */
function shorter(bytes: Buffer, size: number): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(size);
  bytes.copy(copy);
  return copy;
}
