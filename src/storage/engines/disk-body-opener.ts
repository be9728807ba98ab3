import type { BodyRef } from '../../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../../core/body.ts';
import { emptyBody, isBodyRef } from '../body-ref.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { readBytes } from '../bytes-reader.ts';
import type { DiskCatalog } from './disk-catalog.ts';
import { FileReader } from './disk-file-reader.ts';
import { type DiskFiles, isMissing } from './disk-files.ts';
import type { BodyRow, DiskIndex } from './disk-index.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { closeFile, fileSize, openFile } from './file-io.ts';

export interface DiskBodyOpenerOptions {
  readonly index: DiskIndex;
  readonly catalog: DiskCatalog;
  readonly jobs: DiskJobs;
  readonly files: DiskFiles;
  readonly trouble: DiskTrouble;
  readonly pool: BufferPool;
}

/** Opens stored bodies; what turns out to be missing or short is forgotten. */
export class DiskBodyOpener {
  readonly #options: DiskBodyOpenerOptions;

  constructor(options: DiskBodyOpenerOptions) {
    this.#options = options;
  }

  /** A reader of the range, or undefined when the body is not there as the reference says. */
  async open(body: BodyRef, range?: ByteRange): Promise<BodyReader | undefined> {
    if (!isBodyRef(body)) return undefined;
    if (body.size === 0) return readBytes(emptyBody);
    const row = this.#options.index.bodyWithBytes(body.sha256);
    if (!row || row.size !== body.size) return undefined;
    if (row.inline) {
      if (row.data?.length === body.size) return readBytes(row.data, range);
      await this.#forget(row);
      return undefined;
    }
    const fd = await this.#openFile(row);
    if (fd === undefined) return undefined;
    return new FileReader({
      fd,
      start: range?.first ?? 0,
      end: Math.min(body.size, range ? range.last + 1 : body.size),
      pool: this.#options.pool,
      failure: (error) => this.#options.trouble.note(error, 'files'),
    });
  }

  async #openFile(row: BodyRow): Promise<number | undefined> {
    try {
      const fd = await openFile(this.#options.files.body(row.sha256), 'r');
      if ((await fileSize(fd)) === row.size) return fd;
      await closeFile(fd);
    } catch (error) {
      if (!isMissing(error)) throw this.#options.trouble.note(error, 'files');
    }
    await this.#forget(row);
    return undefined;
  }

  /** Unless somebody stored it again in the meantime. */
  async #forget(missing: BodyRow): Promise<void> {
    const { index, catalog, jobs, files } = this.#options;
    await jobs.run(async (change) => {
      const row = index.body(missing.sha256);
      if (row?.id !== missing.id) return;
      if (row.inline || !files.has(row.sha256, row.size)) await catalog.forget(change, row);
    });
    await jobs.removed();
  }
}
