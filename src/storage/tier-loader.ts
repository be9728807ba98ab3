import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import { readBytes } from './bytes-reader.ts';
import type { LowerStore } from './lower-store.ts';
import type { MemoryStore } from './memory-store.ts';
import { isStorageError } from './storage-error.ts';

/** A load that is on its way; outdated ones are answered but not kept. */
interface Load {
  outdated: boolean;
}

/** Brings records and small bodies from the disk into memory; a failure of the disk is a miss. */
export class TierLoader {
  readonly #memory: MemoryStore;
  readonly #disk: LowerStore;
  readonly #loads = new Map<string, Set<Load>>();
  readonly #bodies = new Map<string, Promise<Uint8Array | undefined>>();

  constructor(memory: MemoryStore, disk: LowerStore) {
    this.#memory = memory;
    this.#disk = disk;
  }

  async records(key: string): Promise<readonly ArtifactMeta[]> {
    const load: Load = { outdated: false };
    const loads = this.#loads.get(key) ?? new Set();
    this.#loads.set(key, loads.add(load));
    try {
      const variants = await this.#disk.get(key);
      if (variants.length > 0 && !load.outdated) this.#memory.setRecords(key, variants);
      return variants;
    } catch (error) {
      if (isStorageError(error)) return [];
      throw error;
    } finally {
      loads.delete(load);
      if (loads.size === 0 && this.#loads.get(key) === loads) this.#loads.delete(key);
    }
  }

  /** What is being loaded for the key was read before it changed. */
  outdate(key: string): void {
    for (const load of this.#loads.get(key) ?? []) load.outdated = true;
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
