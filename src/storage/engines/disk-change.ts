import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import type { StoreListener } from '../lower-store.ts';

/** A body's file that nothing refers to any more. */
export interface DoomedFile {
  readonly sha256: string;
  readonly bytes: number;
}

const none: readonly never[] = [];

/**
 * What a job changes besides the database; it takes effect when the transaction is committed. Most
 * jobs store one key, so there is a list only where it has something in it.
 */
export class DiskChange {
  /** Bytes that count against the bound, more or (negative) less than before. */
  bytes = 0;
  entries = 0;
  #key: string | undefined;
  #variants: readonly ArtifactMeta[] = none;
  /** Keys after the first, with theirs. */
  #others: [key: string, variants: readonly ArtifactMeta[]][] | undefined;
  #evicted: string[] | undefined;
  #doomed: DoomedFile[] | undefined;

  /** The variants of the key are these now; an empty list: the key is forgotten. */
  change(key: string, variants: readonly ArtifactMeta[]): void {
    if (this.#key !== undefined) {
      this.#others ??= [];
      this.#others.push([key, variants]);
      return;
    }
    this.#key = key;
    this.#variants = variants;
  }

  evict(key: string): void {
    this.#evicted ??= [];
    this.#evicted.push(key);
  }

  doom(file: DoomedFile): void {
    this.#doomed ??= [];
    this.#doomed.push(file);
  }

  /** Keys that were evicted. */
  get evicted(): readonly string[] {
    return this.#evicted ?? none;
  }

  get doomed(): readonly DoomedFile[] {
    return this.#doomed ?? none;
  }

  /** Tells of all keys, in the order of their changes, and of those that were evicted last. */
  tell(listener: StoreListener): void {
    if (this.#key !== undefined) listener.changed(this.#key, this.#variants);
    if (this.#others) for (const other of this.#others) listener.changed(...other);
    if (this.#evicted) for (const key of this.#evicted) listener.evicted(key);
  }

  /** As it was before anything changed. */
  reset(): void {
    this.bytes = 0;
    this.entries = 0;
    this.#key = undefined;
    this.#others = undefined;
    this.#evicted = undefined;
    this.#doomed = undefined;
  }
}
