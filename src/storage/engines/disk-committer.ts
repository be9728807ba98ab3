import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import { misuse } from '../storage-error.ts';
import type { DiskCatalog } from './disk-catalog.ts';
import type { DiskChange } from './disk-change.ts';
import { recordCharge } from './disk-charges.ts';
import type { DiskFiles } from './disk-files.ts';
import type { DiskIndex } from './disk-index.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { PartialSource } from './disk-partial.ts';
import type { DiskSpace, Reservation } from './disk-space.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { Underway } from './underway.ts';
import type { Transaction } from './writer-job.ts';

export interface DiskCommitterOptions {
  readonly catalog: DiskCatalog;
  readonly index: DiskIndex;
  readonly jobs: DiskJobs;
  readonly files: DiskFiles;
  readonly space: DiskSpace;
  readonly trouble: DiskTrouble;
}

/** Makes responses durable: a record alone, or a body with its record, both or neither. */
export class DiskCommitter {
  readonly #options: DiskCommitterOptions;
  readonly #commits = new Underway();

  constructor(options: DiskCommitterOptions) {
    this.#options = options;
  }

  /** Stores a record whose body is stored already. */
  async put(key: string, meta: ArtifactMeta): Promise<void> {
    const { catalog, jobs } = this.#options;
    const bytes = recordCharge(key, [meta]);
    const record = await this.#reserveRecord(bytes);
    try {
      await jobs.run(
        (change) => catalog.store(change, key, meta, catalog.bodyOf(meta), bytes),
        record,
      );
    } finally {
      record.release();
    }
  }

  /** Stores a body and its record, and settles what was reserved for the body. */
  async commit(
    key: string,
    meta: ArtifactMeta,
    source: PartialSource,
    held: Reservation,
  ): Promise<void> {
    const { jobs, catalog, files } = this.#options;
    let reserved: Reservation | undefined;
    let moved = false;
    this.#commits.begin();
    try {
      const bytes = recordCharge(key, [meta]);
      const reserving = this.#reserveRecord(bytes);
      const record = reserving instanceof Promise ? await reserving : reserving;
      reserved = record;
      await jobs.run(
        async (change, transaction) => {
          const body = this.#storeBody(change, transaction, meta, source);
          moved = body.moved;
          await catalog.store(change, key, meta, body.id, bytes);
          transaction.onCommit(() => record.release());
        },
        held,
        true,
      );
      if ('file' in source) await source.file.settle(files.body(meta.body.sha256), !moved);
    } finally {
      reserved?.release();
      this.#commits.end();
    }
  }

  /** Resolves when no commit is on its way. */
  over(): Promise<void> {
    return this.#commits.over();
  }

  /**
   * Adds the body unless its content is there already; its id, undefined for an empty one, and whether
   * the file was moved to its address.
   */
  #storeBody(
    change: DiskChange,
    transaction: Transaction,
    { body }: ArtifactMeta,
    source: PartialSource,
  ): { readonly id: number | undefined; readonly moved: boolean } {
    const { index, catalog, files } = this.#options;
    if (body.size === 0) return { id: undefined, moved: false };
    if ('bytes' in source) {
      // Most are new: that is found out by adding them.
      const id = catalog.addBody(change, body, source.bytes);
      if (id !== undefined) return { id, moved: false };
    }
    const known = index.body(body.sha256);
    if (known && known.size !== body.size) throw misuse('two bodies of one digest differ in size');
    if ('bytes' in source) return { id: known?.id, moved: false };
    // The row of a file that somebody removed gets its file back.
    if (known && (known.inline || files.has(body.sha256, body.size)))
      return { id: known.id, moved: false };
    this.#move(source.file.path, body.sha256, transaction);
    return { id: known?.id ?? catalog.addBody(change, body, undefined), moved: true };
  }

  #move(path: string, sha256: string, transaction: Transaction): void {
    const { files, trouble } = this.#options;
    try {
      files.adopt(path, sha256);
    } catch (error) {
      throw trouble.note(error, 'files');
    }
    transaction.onRollback(() => {
      try {
        files.restore(sha256, path);
      } catch (error) {
        trouble.note(error, 'files');
      }
    });
  }

  /**
   * `bytes` are what the key with that variant alone counts for, which is enough: the others that are
   * there may only be replaced or dropped.
   */
  #reserveRecord(bytes: number): Reservation | Promise<Reservation> {
    const { space } = this.#options;
    return space.reserveNow(bytes, 'record') ?? space.reserve(bytes, 'record');
  }
}
