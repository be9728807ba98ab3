import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import { requireBodyRef } from '../body-ref.ts';
import { Extents } from '../extents.ts';
import { SmallBody } from '../small-body.ts';
import { misuse, storageFull } from '../storage-error.ts';
import type { PartialBody } from '../store.ts';

/** What a partial body needs of the memory store. */
export interface MemoryPartialHost {
  readonly maxBodyBytes: number;
  /** Sets the bytes that the partial holds from one amount to another; false when they do not fit. */
  reserve(from: number, to: number): boolean;
  /** Stores record and body, and lets the reserved bytes go. */
  commit(key: string, meta: ArtifactMeta, bytes: Uint8Array, reserved: number): void;
}

/** A body that arrives in memory; nothing waits, so `write` is always true. */
export class MemoryPartial implements PartialBody {
  readonly resumed = undefined;
  readonly #host: MemoryPartialHost;
  readonly #size: number | undefined;
  readonly #extents = new Extents();
  readonly #body: SmallBody;
  #reserved: number;
  #failure: Error | undefined;
  #open = true;

  /** `reserved` bytes are held for it already. */
  constructor(host: MemoryPartialHost, size: number | undefined, reserved: number) {
    this.#host = host;
    this.#size = size;
    this.#reserved = reserved;
    this.#body = new SmallBody(size, host.maxBodyBytes);
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  write(position: number, chunk: Uint8Array): boolean {
    if (!this.#open || this.#failure || chunk.length === 0) return true;
    const end = position + chunk.length;
    if (this.#size !== undefined && end > this.#size)
      throw misuse('a body is longer than announced');
    if (end > this.#reserved && !this.#grow(end)) {
      this.#failure = storageFull('the memory tier cannot take the body');
      return true;
    }
    this.#extents.add(position, end);
    this.#body.write(position, chunk);
    return true;
  }

  inMemory(size: number): Uint8Array | undefined {
    return this.#extents.isWhole(size) ? this.#body.whole(size) : undefined;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  async read(position: number, target: Uint8Array): Promise<number> {
    if (this.#extents.endFrom(position) === position) throw misuse('byte was never written');
    return this.#body.read(position, target, this.#extents);
  }

  async commit(key: string, meta: ArtifactMeta): Promise<ArtifactMeta> {
    requireBodyRef(meta.body);
    if (this.#failure) throw this.#failure;
    if (!this.#open) throw misuse('the partial body was ended before');
    if (!this.#extents.isWhole(meta.body.size)) throw misuse('the body is not complete');
    this.#host.commit(key, meta, this.#body.whole(meta.body.size), this.#reserved);
    this.#reserved = 0;
    this.#open = false;
    return meta;
  }

  async discard(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#host.reserve(this.#reserved, 0);
    this.#reserved = 0;
  }

  /** Memory is no place for what nobody waits for. */
  suspend(): Promise<void> {
    return this.discard();
  }

  /** Nothing is open. */
  release(): void {}

  #grow(end: number): boolean {
    const wanted = Math.min(this.#host.maxBodyBytes, end * 2);
    if (end > wanted || !this.#host.reserve(this.#reserved, wanted)) return false;
    this.#reserved = wanted;
    return true;
  }
}
