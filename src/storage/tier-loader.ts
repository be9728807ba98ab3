import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import { PassingMap } from '../core/passing-map.ts';
import { readBytes } from './bytes-reader.ts';
import type { LowerStore } from './lower-store.ts';
import type { MemoryStore } from './memory-store.ts';
import { isStorageError } from './storage-error.ts';

/** Loads of a key that are on their way; outdated ones are answered but not kept. */
interface Loads {
  count: number;
  outdated: boolean;
}

/** Brings records and small bodies from the disk into memory; a failure of the disk is a miss. */
export class TierLoader {
  readonly #memory: MemoryStore;
  readonly #disk: LowerStore;
  /** By key, those that are not outdated. */
  readonly #loads = new Map<string, Loads>();
  readonly #bodies = new PassingMap<Promise<Uint8Array | undefined>>();

  constructor(memory: MemoryStore, disk: LowerStore) {
    this.#memory = memory;
    this.#disk = disk;
  }

  records(key: string): Promise<readonly ArtifactMeta[]> | readonly ArtifactMeta[] {
    const variants = this.#disk.get(key);
    return variants instanceof Promise ? this.#load(key, variants) : variants;
  }

  async #load(
    key: string,
    loading: Promise<readonly ArtifactMeta[]>,
  ): Promise<readonly ArtifactMeta[]> {
    const loads = this.#begin(key);
    try {
      const variants = await loading;
      if (variants.length > 0 && !loads.outdated) this.#memory.setRecords(key, variants);
      return variants;
    } catch (error) {
      if (isStorageError(error)) return [];
      throw error;
    } finally {
      loads.count--;
      if (loads.count === 0 && !loads.outdated) this.#loads.delete(key);
    }
  }

  #begin(key: string): Loads {
    const known = this.#loads.get(key);
    if (known) {
      known.count++;
      return known;
    }
    const loads = { count: 1, outdated: false };
    this.#loads.set(key, loads);
    return loads;
  }

  /** What is being loaded for the key was read before it changed. */
  outdate(key: string): void {
    const loads = this.#loads.get(key);
    if (!loads) return;
    loads.outdated = true;
    this.#loads.delete(key);
  }

  outdateAll(): void {
    for (const key of this.#loads.keys()) this.outdate(key);
  }

  async open(body: BodyRef, range?: ByteRange): Promise<BodyReader | undefined> {
    try {
      if (body.size > this.#memory.maxBodyBytes) {
        return await this.#disk.openBody(body, range, this.#memory.pieces(body));
      }
      const bytes = await this.#small(body);
      return bytes && readBytes(bytes, range);
    } catch (error) {
      if (isStorageError(error)) return undefined;
      throw error;
    }
  }

  /** The whole of a small body, read once however many ask. */
  #small(body: BodyRef): Promise<Uint8Array | undefined> {
    const id = `${body.sha256} ${body.size}`;
    const known = this.#bodies.get(id);
    if (known) return known;
    const bytes = this.#read(body).finally(() => this.#bodies.delete(id));
    this.#bodies.set(id, bytes);
    return bytes;
  }

  async #read(body: BodyRef): Promise<Uint8Array | undefined> {
    const reader = await this.#disk.openBody(body);
    if (!reader) return undefined;
    try {
      const bytes = Buffer.allocUnsafeSlow(body.size);
      let done = 0;
      for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
        bytes.set(chunk, done);
        done += chunk.length;
      }
      if (done !== body.size) return undefined;
      this.#memory.addBody(body, bytes);
      return bytes;
    } finally {
      reader.close();
    }
  }
}
