import type { SpareBlocks } from './disk-backlog.ts';
import type { DiskFiles } from './disk-files.ts';
import type { Continued } from './disk-leftovers.ts';
import { PartialFile } from './disk-partial-file.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import type { WriteVector } from './file-io.ts';
import type { Slots } from './slots.ts';

export interface DiskFileMakerOptions {
  readonly files: DiskFiles;
  readonly trouble: DiskTrouble;
  readonly syncSlots: Slots;
  readonly spareBlocks: SpareBlocks;
  readonly writeVector: WriteVector;
  /** Bodies up to this many bytes are rows of the database. */
  readonly inlineBytes: number;
}

/** Makes the files of bodies that are being written. */
export class DiskFileMaker {
  readonly #options: DiskFileMakerOptions;

  constructor(options: DiskFileMakerOptions) {
    this.#options = options;
  }

  /** A file with these bytes, which is being written; undefined where they are a row of the database. */
  whole(bytes: Uint8Array): PartialFile | undefined {
    if (bytes.length <= this.#options.inlineBytes) return undefined;
    const file = this.make(bytes.length, undefined);
    file.writeWhole(bytes);
    return file;
  }

  /** A file for up to `limit` bytes: a new one, or what is left of a transfer that broke off. */
  make(limit: number, continued: Continued | undefined): PartialFile {
    const { files, trouble, syncSlots, spareBlocks, writeVector } = this.#options;
    const common = { writeVector, trouble, syncSlots, spareBlocks };
    if (!continued) return new PartialFile({ ...common, path: files.newPartial() }, limit);
    const { log, path, held } = continued;
    const onWritten = (at: number, chunks: readonly Uint8Array[]) => log.written(at, chunks);
    return new PartialFile({ ...common, path, exists: held !== undefined, onWritten }, limit);
  }
}
