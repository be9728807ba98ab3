import type { SQLInputValue } from 'node:sqlite';
import { KeyvSqlite, type SqliteDriver } from '@keyv/sqlite';
import Keyv from 'keyv';
import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import { storageFailed } from '../storage-error.ts';
import type { DiskDatabase } from './disk-database.ts';
import type { DiskIndex, EntryColumns } from './disk-index.ts';

/** What the row of the record that is set next has besides it. */
interface RecordRow extends EntryColumns {
  /** For a key that has no entry: the id of its only body. */
  readonly body?: number | undefined;
  readonly isNew: boolean;
}

/**
 * The records by key, through Keyv. Its SQLite adapter works on the store's own connection, and its
 * table is that of the entries: what is stored under a new key takes one statement. What changes
 * anything belongs into a job of the writer, which runs one at a time.
 */
export class DiskRecords {
  readonly #database: DiskDatabase;
  readonly #index: DiskIndex;
  readonly #keyv: Keyv<readonly ArtifactMeta[]>;
  #row: RecordRow | undefined;
  /** What the last `set` of a new key gave: its id, undefined when it was not new. */
  #added: number | undefined;
  /** Keyv tells of failures by event and answers as if there were nothing. */
  #failures = 0;
  #lastFailure: unknown;

  constructor(database: DiskDatabase, index: DiskIndex, onUnreadable: () => void) {
    this.#database = database;
    this.#index = index;
    this.#keyv = new Keyv<readonly ArtifactMeta[]>({
      store: new KeyvSqlite({ table: 'entries', driver: this.#driver() }),
      // Nothing here expires by the clock: freshness is for policy to decide.
      checkExpired: false,
      serialization: {
        stringify: JSON.stringify,
        parse: (text: string) => parseRecord(text, onUnreadable),
      },
    });
    this.#keyv.on('error', (error: unknown) => {
      this.#failures++;
      this.#lastFailure = error;
    });
  }

  /** All variants; an empty list when there is none. */
  async get(key: string): Promise<readonly ArtifactMeta[]> {
    const failures = this.#failures;
    const variants = await this.#keyv.get(key);
    if (variants === undefined && this.#failures !== failures) throw this.#failure();
    return variants ?? [];
  }

  /**
   * Adds a key with its record and its only body, if it has one; the id of its entry, undefined when
   * there is one already, which stays as it is.
   */
  async add(
    key: string,
    variants: readonly ArtifactMeta[],
    columns: EntryColumns,
    body: number | undefined,
  ): Promise<number | undefined> {
    this.#row = { ...columns, body, isNew: true };
    if (!(await this.#keyv.set(key, variants))) throw this.#failure();
    return this.#added;
  }

  /** Writes record and entry of a key that has one. */
  async set(key: string, variants: readonly ArtifactMeta[], columns: EntryColumns): Promise<void> {
    this.#row = { ...columns, isNew: false };
    if (!(await this.#keyv.set(key, variants))) throw this.#failure();
  }

  /** Removes a key's record and entry. */
  async delete(key: string): Promise<void> {
    const failures = this.#failures;
    await this.#keyv.delete(key);
    if (this.#failures !== failures) throw this.#failure();
  }

  /** Keyv's statements as they are, but that a record is written with all that its row has. */
  #driver(): SqliteDriver {
    const query = async (sql: string, ...values: unknown[]) => {
      // Others may read meanwhile.
      const row = sql.startsWith('INSERT') ? this.#row : undefined;
      if (!row) return this.#database.all(sql, ...(values as SQLInputValue[]));
      const [key, record] = values as [string, string];
      this.#row = undefined;
      this.#added = undefined;
      if (row.isNew) this.#added = this.#index.addEntry(key, row, row.body, record);
      else this.#index.setEntry(key, row, record);
      return [];
    };
    // The store closes the connection that it opened.
    const close = async () => undefined;
    return { name: 'custom', connect: async () => ({ query, close }) };
  }

  #failure(): unknown {
    return this.#lastFailure ?? storageFailed('the record could not be written');
  }
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
