import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { HashedBody } from '../core/body.ts';
import type { LowerPartial } from './lower-store.ts';
import type { MemoryStore } from './memory-store.ts';
import { isStorageError } from './storage-error.ts';
import type { GrowingFile, PartialBody, ResumedBytes } from './store.ts';

/** A body on its way to the disk that is in memory, too, once it is committed and small. */
export class TierPartial implements PartialBody {
  readonly #disk: LowerPartial;
  readonly #memory: MemoryStore;

  constructor(disk: LowerPartial, memory: MemoryStore) {
    this.#disk = disk;
    this.#memory = memory;
  }

  get resumed(): ResumedBytes | undefined {
    return this.#disk.resumed;
  }

  get file(): GrowingFile | undefined {
    return this.#disk.file;
  }

  get failure(): Error | undefined {
    return this.#disk.failure;
  }

  write(position: number, chunk: Uint8Array): boolean {
    return this.#disk.write(position, chunk);
  }

  inMemory(size: number): Uint8Array | undefined {
    return this.#disk.inMemory(size);
  }

  provenBy(hash: HashedBody): void {
    this.#disk.provenBy?.(hash);
  }

  drained(): Promise<void> {
    return this.#disk.drained();
  }

  read(position: number, target: Uint8Array): Promise<number> {
    return this.#disk.read(position, target);
  }

  commit(key: string, meta: ArtifactMeta): Promise<ArtifactMeta> {
    const { size } = meta.body;
    if (size > this.#memory.maxBodyBytes) return this.#disk.commit(key, meta);
    const bytes = this.#disk.inMemory(size);
    if (bytes) return this.#commitSmall(key, meta, bytes);
    return this.#readAll(size).then((all) => this.#commitSmall(key, meta, all));
  }

  #commitSmall(key: string, meta: ArtifactMeta, bytes: Uint8Array): Promise<ArtifactMeta> {
    return this.#disk.commit(key, meta).then(
      (stored) => {
        this.#memory.addBody(meta.body, bytes);
        return stored;
      },
      (error) => {
        if (!isStorageError(error)) throw error;
        return this.#commitToMemory(key, meta, bytes);
      },
    );
  }

  discard(): Promise<void> {
    return this.#disk.discard();
  }

  suspend(): Promise<void> {
    return this.#disk.suspend();
  }

  release(): void {
    this.#disk.release();
  }

  /** The disk could not take it; a restart loses it, as it would without a disk. */
  async #commitToMemory(key: string, meta: ArtifactMeta, bytes: Uint8Array): Promise<ArtifactMeta> {
    const partial = await this.#memory.begin(bytes.length);
    try {
      partial.write(0, bytes);
      return await partial.commit(key, meta);
    } finally {
      await partial.discard();
    }
  }

  async #readAll(size: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(size);
    let done = 0;
    while (done < size) done += await this.#disk.read(done, bytes.subarray(done));
    return bytes;
  }
}
