import { closeSync, fdatasyncSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { logBytes, writeFirstPage } from './disk-schema.ts';
import type { DiskTrouble } from './disk-trouble.ts';

/** Of the log's header, and before each frame (sqlite.org/fileformat2.html section 4.1). */
const headerBytes = 32;
const frameHeaderBytes = 24;

/** Resolves when the file's bytes are on the medium. */
export type SyncFile = (fd: number) => Promise<void>;

/**
 * SQLite's write-ahead log, copied into the database without keeping the event loop waiting for the
 * medium: SQLite itself syncs nothing (`synchronous=OFF`), the file threads do what `NORMAL` would do.
 *
 * Safe at any instant: until the database is synced the log is whole on the medium, and is copied again
 * after a crash. Then a transaction of one page begins the log anew: whether its header, its only frame,
 * both or nothing of it reach the medium, the log says what the database says, or is empty. All of it is
 * there before anything else is written: of a log overwritten further, but with its old header, the
 * start would be copied over newer pages (sqlite.org/src/info/ff5be73dee).
 */
export class DiskLog {
  readonly #trouble: DiskTrouble;
  readonly #connection: DatabaseSync;
  readonly #database: number;
  readonly #log: number;
  readonly #sync: SyncFile;
  #step: 'logging' | 'copied' | 'begun' | 'closed' = 'logging';
  #fullAt = logBytes;
  readonly #header = Buffer.alloc(headerBytes);
  /** The header is that of the log as it is now. */
  #hasHeader = false;
  readonly #frame = Buffer.alloc(frameHeaderBytes);

  /**
   * `path`: of the database, which this connection has locked, and whose log is empty. POSIX lets go of
   * a process's locks on a file when it closes any descriptor of it: close this after the connection.
   */
  constructor(path: string, connection: DatabaseSync, trouble: DiskTrouble, sync: SyncFile) {
    this.#trouble = trouble;
    this.#connection = connection;
    this.#sync = sync;
    this.#log = openSync(`${path}-wal`, 'r+');
    try {
      this.#database = openSync(path, 'r+');
    } catch (error) {
      closeSync(this.#log);
      throw error;
    }
  }

  /** Before the first transaction: it is known to be empty. */
  begin(): void {
    fdatasyncSync(this.#log);
  }

  /** Whether it is long enough to be copied, or that was begun and did not end. */
  get isDue(): boolean {
    if (this.#step !== 'logging') return this.mustEnd;
    try {
      return this.#isFull();
    } catch (error) {
      this.#trouble.note(error, 'database');
      return false;
    }
  }

  /** A copy was begun: nothing may be written before `empty` succeeded. */
  get mustEnd(): boolean {
    return this.#step === 'copied' || this.#step === 'begun';
  }

  /**
   * Copies the log into the database, or ends that where it failed; no transaction may be open or begin
   * meanwhile. What failed, which the trouble knows, too.
   */
  async empty(): Promise<Error | undefined> {
    try {
      if (this.#step === 'logging') await this.#copy();
      if (this.#step === 'copied') {
        await this.#sync(this.#database);
        this.#connection.exec(writeFirstPage);
        this.#step = 'begun';
      }
      await this.#sync(this.#log);
      this.#step = 'logging';
      this.#hasHeader = false;
      this.#fullAt = logBytes;
      return undefined;
    } catch (error) {
      // Not for every transaction again: when it has grown by as much.
      this.#fullAt += logBytes;
      return this.#trouble.note(error, 'database');
    }
  }

  /** Before the connection is closed, which removes the log: of what was copied nothing is lost. */
  endNow(): void {
    if (this.mustEnd) fdatasyncSync(this.#database);
  }

  close(): void {
    this.#step = 'closed';
    closeSync(this.#log);
    closeSync(this.#database);
  }

  /**
   * Whether there is a frame at that place which belongs to this log: the file is overwritten from its
   * start, and behind the end are frames of earlier ones, with other salts.
   */
  #isFull(): boolean {
    const [header, frame] = [this.#header, this.#frame];
    this.#hasHeader ||= readSync(this.#log, header, 0, headerBytes, 0) === headerBytes;
    if (!this.#hasHeader) return false;
    const step = header.readUInt32BE(8) + frameHeaderBytes;
    const place = headerBytes + Math.floor(this.#fullAt / step) * step;
    if (readSync(this.#log, frame, 0, frameHeaderBytes, place) < frameHeaderBytes) return false;
    return frame.compare(header, 16, 24, 8, 16) === 0;
  }

  async #copy(): Promise<void> {
    await this.#sync(this.#log);
    const row = this.#connection.prepare('PRAGMA main.wal_checkpoint(PASSIVE)').get();
    // There is one connection, and nothing of it is under way: all was copied.
    if (row?.busy !== 0 || row.log !== row.checkpointed) throw new Error('the log is in use');
    this.#step = 'copied';
  }
}
