import type { BodyRef } from '../../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../../core/body.ts';
import type { BodyPieces } from '../body-pieces.ts';
import { emptyBody, isBodyRef } from '../body-ref.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { readBytes } from '../bytes-reader.ts';
import { BodyFile } from './disk-body-file.ts';
import type { DiskCatalog } from './disk-catalog.ts';
import { FileReader } from './disk-file-reader.ts';
import { type DiskFiles, isMissing } from './disk-files.ts';
import type { BodyRow, DiskIndex } from './disk-index.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { DiskOpenFiles } from './disk-open-files.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { fetchedBytes } from './fetched-bytes.ts';
import { closeFile, fileSize, openFile } from './file-io.ts';
import { SyncReads } from './sync-reads.ts';

export interface DiskBodyOpenerOptions {
  readonly index: DiskIndex;
  readonly catalog: DiskCatalog;
  readonly jobs: DiskJobs;
  readonly files: DiskFiles;
  readonly openFiles: DiskOpenFiles;
  readonly trouble: DiskTrouble;
  readonly pool: BufferPool;
}

/** Opens stored bodies; what turns out to be missing or short is forgotten. */
export class DiskBodyOpener {
  readonly #options: DiskBodyOpenerOptions;
  readonly #syncReads = new SyncReads(fetchedBytes);

  constructor(options: DiskBodyOpenerOptions) {
    this.#options = options;
  }

  /** A reader of the range, or undefined when the body is not there as the reference says. */
  async open(
    body: BodyRef,
    range?: ByteRange,
    pieces?: BodyPieces,
  ): Promise<BodyReader | undefined> {
    if (!isBodyRef(body)) return undefined;
    if (body.size === 0) return readBytes(emptyBody);
    const { index, openFiles } = this.#options;
    const row = index.bodyWithBytes(body.sha256);
    if (!row || row.size !== body.size) return undefined;
    if (row.inline) {
      if (row.data?.length === body.size) return readBytes(row.data, range);
      await this.#forget(row);
      return undefined;
    }
    const open = this.peek(body, range, undefined, pieces);
    if (open) return open;
    const file = await this.#openFile(row);
    if (file === undefined) return undefined;
    // Removed while it was being opened: whoever reads it is the last.
    if (index.body(row.sha256)?.id === row.id) openFiles.add(row.sha256, file);
    return this.#reader(body, file, range, undefined, pieces);
  }

  /** The same of a body whose file is open; undefined when it is not. */
  peek(
    body: BodyRef,
    range?: ByteRange,
    lead?: Uint8Array,
    pieces?: BodyPieces,
  ): BodyReader | undefined {
    const file = this.#options.openFiles.take(body.sha256, body.size);
    return file && this.#reader(body, file, range, lead, pieces);
  }

  #reader(
    { sha256, size }: BodyRef,
    file: BodyFile,
    range: ByteRange | undefined,
    lead: Uint8Array | undefined,
    pieces: BodyPieces | undefined,
  ): BodyReader {
    const { openFiles, trouble, pool } = this.#options;
    return new FileReader({
      file,
      start: range?.first ?? 0,
      end: Math.min(size, range ? range.last + 1 : size),
      pool,
      lead,
      pieces,
      failure: (error) => {
        openFiles.forget(sha256);
        pieces?.forget();
        return trouble.note(error, 'files');
      },
    });
  }

  async #openFile(row: BodyRow): Promise<BodyFile | undefined> {
    const { files, trouble } = this.#options;
    try {
      const fd = await openFile(files.body(row.sha256), 'r');
      if ((await fileSize(fd)) === row.size) {
        const failed = (error: unknown) => void trouble.note(error, 'files');
        return new BodyFile({ fd, size: row.size, syncReads: this.#syncReads, failed });
      }
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
