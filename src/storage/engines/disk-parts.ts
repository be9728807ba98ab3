import { BufferPool } from '../buffer-pool.ts';
import { SpareBlocks } from './disk-backlog.ts';
import { DiskBodyOpener } from './disk-body-opener.ts';
import { DiskCatalog } from './disk-catalog.ts';
import { DiskCommitter } from './disk-committer.ts';
import type { DiskDatabase } from './disk-database.ts';
import { DiskEvictor } from './disk-evictor.ts';
import { DiskFileMaker } from './disk-file-maker.ts';
import type { DiskFiles } from './disk-files.ts';
import { DiskIndex } from './disk-index.ts';
import { DiskJobs } from './disk-jobs.ts';
import { DiskLeftoverRows } from './disk-leftover-rows.ts';
import { DiskLeftovers } from './disk-leftovers.ts';
import { DiskOpenFiles } from './disk-open-files.ts';
import { DiskRecords } from './disk-records.ts';
import { DiskSpace } from './disk-space.ts';
import { DiskSweep } from './disk-sweep.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { DiskUseLog } from './disk-use-log.ts';
import { DiskUses } from './disk-uses.ts';
import { DiskVacuum } from './disk-vacuum.ts';
import { WholeBodies } from './disk-whole-bodies.ts';
import { DiskWriter } from './disk-writer.ts';
import type { WriteVector } from './file-io.ts';
import { Slots } from './slots.ts';

/** Large reads keep the file threads busy without holding much: 64 buffers are 16 MiB. */
const readBytes = 256 * 1024;
const readBuffers = 64;
const spillBytes = 64 * 1024;
/** Of the runtime's four file threads, of which the log's syncs take a third: one is left for reads. */
const syncsAtOnce = 2;

export interface DiskPartsOptions {
  readonly files: DiskFiles;
  readonly database: DiskDatabase;
  readonly trouble: DiskTrouble;
  readonly maxBytes: number;
  readonly inlineBytes: number;
  readonly writeVector: WriteVector;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type DiskParts = ReturnType<typeof makeDiskParts>;

/** The parts of a disk store over an open database, in the order in which they need each other. */
export function makeDiskParts(options: DiskPartsOptions) {
  const { files, database, trouble, maxBytes } = options;
  const index = new DiskIndex(database);
  const records = new DiskRecords(database, index, () =>
    trouble.report('a record of the cache could not be read and is forgotten'),
  );
  const uses = new DiskUses(index.lastUse());
  const catalog = new DiskCatalog(records, index, uses);
  const writer = new DiskWriter({
    ...{ database, trouble },
    addTotals: (totals) => index.addTotals(totals),
  });
  const openFiles = new DiskOpenFiles();
  const jobs = new DiskJobs({ writer, index, files, openFiles, trouble });
  const evictor = new DiskEvictor({ jobs, index, catalog, uses, maxBytes });
  const leftovers = new DiskLeftovers({
    ...{ files, jobs, trouble, now: options.now },
    rows: new DiskLeftoverRows(database),
    space: () => space,
  });
  /** What never became whole goes before anything that did. */
  const makeRoom = async (bytes: number) =>
    (await leftovers.evict(bytes)) || (await evictor.evict(bytes));
  const space: DiskSpace = new DiskSpace(maxBytes, makeRoom);
  const pool = new BufferPool({ chunkBytes: readBytes, maxBuffers: readBuffers, spillBytes });
  const syncSlots = new Slots(syncsAtOnce);
  const spareBlocks = new SpareBlocks();
  return {
    ...options,
    index,
    records,
    writer,
    jobs,
    leftovers,
    makeRoom,
    space,
    openFiles,
    catalog,
    syncSlots,
    spareBlocks,
    fileMaker: new DiskFileMaker({ ...options, syncSlots, spareBlocks }),
    wholeBodies: new WholeBodies(options.inlineBytes),
    committer: new DiskCommitter({ catalog, index, jobs, files, space, trouble }),
    opener: new DiskBodyOpener({ index, catalog, jobs, files, openFiles, trouble, pool }),
    sweep: new DiskSweep({ database, files, index, catalog, jobs, leftovers }),
    useLog: new DiskUseLog(uses, index, jobs, (error) => trouble.note(error, 'database')),
    vacuum: new DiskVacuum(database, jobs, maxBytes),
  };
}
