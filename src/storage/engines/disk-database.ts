import { renameSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { GatewayError } from '../../core/errors.ts';
import { DiskLog, type SyncFile } from './disk-log.ts';
import { afterSchema, beforeClose, pragmas, schema, schemaVersion } from './disk-schema.ts';
import { type DiskTrouble, isCorrupt, isLocked } from './disk-trouble.ts';
import { syncData } from './file-io.ts';

/** Distinct statements of the store stay well below. */
const maxStatements = 128;

interface Opened {
  readonly connection: DatabaseSync;
  readonly log: DiskLog;
}

export type Row = ReturnType<StatementSync['all']>[number];

/** The one connection of a store, with its prepared statements. Its errors are GatewayErrors. */
export class DiskDatabase {
  readonly #path: string;
  readonly #trouble: DiskTrouble;
  readonly #now: () => number;
  readonly #sync: SyncFile;
  readonly #statements = new Map<string, StatementSync>();
  #opened: Opened;

  /**
   * Opens the database, or begins a new one; one that is damaged is put aside and reported. Throws
   * `proxy_configuration_error` when another store has it open. `sync` is `fs.fdatasync` unless given.
   */
  constructor(path: string, trouble: DiskTrouble, now: () => number, sync: SyncFile = syncData) {
    this.#path = path;
    this.#trouble = trouble;
    this.#now = now;
    this.#sync = sync;
    this.#opened = this.#open();
  }

  /** Of the connection that is open now. */
  get log(): DiskLog {
    return this.#opened.log;
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    try {
      return this.#prepare(sql).get(...values);
    } catch (error) {
      throw this.#trouble.note(error, 'database');
    }
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    try {
      return this.#prepare(sql).all(...values);
    } catch (error) {
      throw this.#trouble.note(error, 'database');
    }
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    try {
      this.#prepare(sql).run(...values);
    } catch (error) {
      throw this.#trouble.note(error, 'database');
    }
  }

  /** Whether the statement changed a row. */
  change(sql: string, ...values: SQLInputValue[]): boolean {
    try {
      return this.#prepare(sql).run(...values).changes > 0;
    } catch (error) {
      throw this.#trouble.note(error, 'database');
    }
  }

  /** Id of the row that the statement inserted; undefined when it inserted none. */
  insert(sql: string, ...values: SQLInputValue[]): number | undefined {
    try {
      const { changes, lastInsertRowid } = this.#prepare(sql).run(...values);
      return changes === 0 ? undefined : Number(lastInsertRowid);
    } catch (error) {
      throw this.#trouble.note(error, 'database');
    }
  }

  /** False also after SQLite itself gave up a transaction, as it does when the disk is full. */
  get inTransaction(): boolean {
    const { connection } = this.#opened;
    return connection.isOpen && connection.isTransaction;
  }

  /** Puts the damaged database aside and begins a new one. */
  replace(): void {
    this.#statements.clear();
    const { connection, log } = this.#opened;
    this.#guard(() => {
      connection.close();
      log.close();
      this.#putAside('corrupt');
    });
    this.#opened = this.#open();
  }

  close(): void {
    this.#statements.clear();
    const { connection, log } = this.#opened;
    if (!connection.isOpen) return;
    this.#guard(() => {
      try {
        log.endNow();
        connection.exec(beforeClose);
      } finally {
        connection.close();
        log.close();
      }
    });
  }

  #open(): Opened {
    try {
      return this.#connect();
    } catch (error) {
      if (isLocked(error)) throw inUse(error);
      if (!isCorrupt(error)) throw this.#trouble.note(error, 'database');
    }
    this.#putAside('corrupt');
    return this.#guard(() => this.#connect());
  }

  #connect(): Opened {
    const connection = new DatabaseSync(this.#path);
    let log: DiskLog | undefined;
    try {
      connection.exec(pragmas);
      const version = connection.prepare('PRAGMA user_version').get()?.user_version;
      if (version !== 0 && version !== schemaVersion) {
        connection.close();
        this.#putAside(`version-${version}`);
        return this.#connect();
      }
      // A write, so that the lock is held from here on.
      connection.exec(`BEGIN IMMEDIATE;${schema}PRAGMA user_version = ${schemaVersion};COMMIT;`);
      connection.exec(afterSchema);
      log = new DiskLog(this.#path, connection, this.#trouble, this.#sync);
      log.begin();
      return { connection, log };
    } catch (error) {
      if (connection.isOpen) connection.close();
      log?.close();
      throw error;
    }
  }

  #putAside(why: string): void {
    const aside = `${this.#path}.${why}-${this.#now()}`;
    renameSync(this.#path, aside);
    for (const suffix of ['-wal', '-shm']) {
      this.#renameIfThere(`${this.#path}${suffix}`, `${aside}${suffix}`);
    }
    this.#trouble.report(`the database of the cache could not be used and was moved to ${aside}`);
  }

  #renameIfThere(from: string, to: string): void {
    try {
      renameSync(from, to);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    if (this.#statements.size >= maxStatements) this.#statements.clear();
    const statement = this.#opened.connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#trouble.note(error, 'database');
    }
  }
}

function inUse(cause: unknown): GatewayError {
  return new GatewayError(
    'proxy_configuration_error',
    'another process uses this data directory; give each its own',
    { origin: 'gateway', cause },
  );
}
