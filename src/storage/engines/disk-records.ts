import type { SQLInputValue } from 'node:sqlite';
import { KeyvSqlite, type SqliteDriver } from '@keyv/sqlite';
import Keyv from 'keyv';
import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import { storageFailed } from '../storage-error.ts';
import type { DiskDatabase } from './disk-database.ts';

/**
 * The records by key, through Keyv. Its SQLite adapter works on the store's own connection, so a
 * record and the index rows of its body are written in one transaction.
 */
export class DiskRecords {
  readonly #database: DiskDatabase;
  readonly #onUnreadable: () => void;
  #keyv: Keyv<readonly ArtifactMeta[]>;
  /** Keyv tells of failures by event and answers as if there were nothing. */
  #failures = 0;
  #lastFailure: unknown;

  constructor(database: DiskDatabase, onUnreadable: () => void) {
    this.#database = database;
    this.#onUnreadable = onUnreadable;
    this.#keyv = new Keyv();
  }

  /** Makes the table where it is missing: at the start, and in a database that was replaced. */
  async open(): Promise<void> {
    const store = new KeyvSqlite({ table: 'records', driver: sharedConnection(this.#database) });
    this.#keyv = new Keyv<readonly ArtifactMeta[]>({
      store,
      // Nothing here expires by the clock: freshness is for policy to decide.
      checkExpired: false,
      serialization: {
        stringify: JSON.stringify,
        parse: (text: string) => parseRecord(text, this.#onUnreadable),
      },
    });
    this.#keyv.on('error', (error: unknown) => {
      this.#failures++;
      this.#lastFailure = error;
    });
    await store.ready;
  }

  /** All variants; an empty list when there is none. */
  async get(key: string): Promise<readonly ArtifactMeta[]> {
    const failures = this.#failures;
    const variants = await this.#keyv.get(key);
    if (variants === undefined && this.#failures !== failures) throw this.#failure();
    return variants ?? [];
  }

  /** Inside a transaction of the store. */
  async set(key: string, variants: readonly ArtifactMeta[]): Promise<void> {
    if (!(await this.#keyv.set(key, variants))) throw this.#failure();
  }

  /** Inside a transaction of the store. */
  async delete(key: string): Promise<void> {
    const failures = this.#failures;
    await this.#keyv.delete(key);
    if (this.#failures !== failures) throw this.#failure();
  }

  #failure(): unknown {
    return this.#lastFailure ?? storageFailed('the record could not be written');
  }
}

function sharedConnection(database: DiskDatabase): SqliteDriver {
  return {
    name: 'custom',
    connect: async () => ({
      query: async (sql, ...values) => database.query(sql, values as SQLInputValue[]),
      // The store closes the connection that it opened.
      close: async () => undefined,
    }),
  };
}

/** A record that cannot be read is no record: its key is fetched and stored anew. */
function parseRecord<T>(text: string, onUnreadable: () => void): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    onUnreadable();
    return { value: undefined } as T;
  }
}
