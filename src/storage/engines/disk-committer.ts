import type { ArtifactMeta, BodyRef } from '../../core/artifact-meta.ts';
import { misuse } from '../storage-error.ts';
import type { DiskCatalog } from './disk-catalog.ts';
import { recordCharge } from './disk-charges.ts';
import type { DiskFiles } from './disk-files.ts';
import type { BodyRow, DiskIndex } from './disk-index.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { PartialSource } from './disk-partial.ts';
import type { PartialFile } from './disk-partial-file.ts';
import type { DiskSpace, Reservation } from './disk-space.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { Underway } from './underway.ts';
import type { WriterJob } from './writer-job.ts';

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
    const { catalog, jobs, space } = this.#options;
    const bytes = recordCharge(key, [meta]);
    const record = space.reserveNow(bytes, 'record') ?? (await space.reserve(bytes, 'record'));
    try {
      await jobs.run((job) => catalog.store(job, key, meta, catalog.bodyOf(meta), bytes), record);
    } finally {
      record.release();
    }
  }

  /**
   * Stores a body and its record, and settles what was reserved for the body. Meanwhile that has room
   * for what the key counts for with this variant alone, which is enough: the others that are there may
   * only be replaced or dropped.
   */
  async commit(
    key: string,
    meta: ArtifactMeta,
    source: PartialSource,
    held: Reservation,
  ): Promise<void> {
    const before = held.bytes;
    this.#commits.begin();
    try {
      const bytes = recordCharge(key, [meta]);
      if (!held.growNow(bytes)) await held.grow(bytes);
      if ('file' in source) await this.#commitFile(key, meta, source.file, held, bytes);
      else await this.#commitBytes(key, meta, source.bytes, held, bytes);
    } catch (error) {
      held.shrinkTo(before);
      throw error;
    } finally {
      this.#commits.end();
    }
  }

  /** Resolves when no commit is on its way. */
  over(): Promise<void> {
    return this.#commits.over();
  }

  #commitBytes(
    key: string,
    meta: ArtifactMeta,
    bytes: Uint8Array,
    held: Reservation,
    charge: number,
  ): Promise<void> {
    const { jobs, catalog, index } = this.#options;
    const { body } = meta;
    return jobs.run(
      (job) => {
        if (body.size === 0) return catalog.store(job, key, meta, undefined, charge);
        // Most are new: that is found out by adding them.
        const id = catalog.addBody(job, body, bytes) ?? known(index, body)?.id;
        return catalog.store(job, key, meta, id, charge);
      },
      held,
      true,
    );
  }

  async #commitFile(
    key: string,
    meta: ArtifactMeta,
    file: PartialFile,
    held: Reservation,
    charge: number,
  ): Promise<void> {
    const { jobs, catalog, files } = this.#options;
    const { sha256 } = meta.body;
    const moved = await jobs.run(
      async (job) => {
        const body = this.#storeFile(job, meta.body, file);
        await catalog.store(job, key, meta, body.id, charge);
        return body.moved;
      },
      held,
      true,
    );
    await file.settle(files.body(sha256), !moved);
  }

  /** Adds the body unless its content is there already; its id, and whether the file was moved to its address. */
  #storeFile(
    job: WriterJob,
    body: BodyRef,
    file: PartialFile,
  ): { readonly id: number | undefined; readonly moved: boolean } {
    const { index, catalog, files } = this.#options;
    if (body.size === 0) return { id: undefined, moved: false };
    const row = known(index, body);
    // The row of a file that somebody removed gets its file back.
    if (row && (row.inline || files.has(body.sha256, body.size))) {
      return { id: row.id, moved: false };
    }
    this.#move(file.path, body.sha256, job);
    return { id: row?.id ?? catalog.addBody(job, body, undefined), moved: true };
  }

  #move(path: string, sha256: string, job: WriterJob): void {
    const { files, trouble } = this.#options;
    try {
      files.adopt(path, sha256);
    } catch (error) {
      throw trouble.note(error, 'files');
    }
    job.onRollback(() => {
      try {
        files.restore(sha256, path);
      } catch (error) {
        trouble.note(error, 'files');
      }
    });
  }
}

/** The row of a body that is stored. Throws where one of another size has its digest. */
function known(index: DiskIndex, { sha256, size }: BodyRef): BodyRow | undefined {
  const row = index.body(sha256);
  if (row && row.size !== size) throw misuse('two bodies of one digest differ in size');
  return row;
}
