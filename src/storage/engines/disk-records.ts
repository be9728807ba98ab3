import type { SQLInputValue } from 'node:sqlite';
import { KeyvSqlite, type SqliteDriver } from '@keyv/sqlite';
import type { KeyvStorageAdapter } from 'keyv';
import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import { storageFailed } from '../storage-error.ts';
import type { DiskDatabase } from './disk-database.ts';
import type { DiskIndex, EntryColumns } from './disk-index.ts';

/** What statements that only write give. */
const noRows: Promise<unknown[]> = Promise.resolve([]);

/**
 * The records by key, through Keyv's adapter for SQLite, as the text that Keyv itself would store: any
 * other adapter of it has the same methods. (`Keyv` in front of it would take a dozen promises and 5 KB
 * for each record.) The adapter works on the store's own connection, and its table is that of the
 * entries: what is stored under a new key takes one statement. What changes anything belongs into a job
 * of the writer, which runs one at a time.
 */
export class DiskRecords {
  readonly #database: DiskDatabase;
  readonly #index: DiskIndex;
  readonly #adapter: KeyvStorageAdapter;
  readonly #onUnreadable: () => void;
  /** What the row of the record that is set next has besides it. */
  #columns: EntryColumns | undefined;
  /** For a key that has no entry: the id of its only body. */
  #body: number | undefined;
  #isNew = false;
  /** What the last `set` of a new key gave: its id, undefined when it was not new. */
  #added: number | undefined;
  /** The adapter tells why it could not write by event. */
  #lastFailure: unknown;

  constructor(database: DiskDatabase, index: DiskIndex, onUnreadable: () => void) {
    this.#database = database;
    this.#index = index;
    this.#onUnreadable = onUnreadable;
    const query = (sql: string, ...values: unknown[]) => this.#query(sql, values);
    const adapter = new KeyvSqlite({ table: 'entries', driver: driverOf(query) });
    // Its own waits for a connection, which is there already, and makes four promises of it.
    adapter.query = query;
    adapter.on('error', (error: unknown) => {
      this.#lastFailure = error;
    });
    this.#adapter = adapter;
  }

  /** All variants; an empty list when there is none. */
  async get(key: string): Promise<readonly ArtifactMeta[]> {
    const text: unknown = await this.#adapter.get<string>(key);
    return text === undefined ? [] : (parseRecord(text) ?? this.#unreadable());
  }

  /**
   * Adds a key with its record and its only body, if it has one; whether it is new then says `added`,
   * at once. What is stored under the key stays as it is.
   */
  add(
    key: string,
    variants: readonly ArtifactMeta[],
    columns: EntryColumns,
    body: number | undefined,
  ): Promise<boolean> {
    this.#added = undefined;
    this.#body = body;
    this.#isNew = true;
    return this.#write(key, variants, columns);
  }

  /** Whether the key was new; `written` is what `add` gave. Throws when nothing could be written. */
  added(written: boolean): boolean {
    if (!written) throw this.#failure();
    return this.#added !== undefined;
  }

  /** Writes record and entry of a key that has one. */
  async set(key: string, variants: readonly ArtifactMeta[], columns: EntryColumns): Promise<void> {
    this.#isNew = false;
    if (!(await this.#write(key, variants, columns))) throw this.#failure();
  }

  /** Removes a key's record and entry. */
  async delete(key: string): Promise<void> {
    await this.#adapter.delete(key);
  }

  #write(key: string, variants: readonly ArtifactMeta[], columns: EntryColumns): Promise<boolean> {
    this.#columns = columns;
    return this.#adapter.set(key, JSON.stringify({ value: variants }));
  }

  /** The adapter's statements as they are, but that a record is written with all that its row has. */
  #query(sql: string, values: readonly unknown[]): Promise<unknown[]> {
    const columns = this.#columns;
    // Others may read meanwhile.
    if (!columns || !sql.startsWith('INSERT')) {
      return Promise.resolve(this.#database.all(sql, ...(values as SQLInputValue[])));
    }
    const [key, record] = values as [string, string];
    this.#columns = undefined;
    if (this.#isNew) this.#added = this.#index.addEntry(key, columns, this.#body, record);
    else this.#index.setEntry(key, columns, record);
    return noRows;
  }

  #failure(): unknown {
    return this.#lastFailure ?? storageFailed('the record could not be written');
  }

  /** A record that cannot be read is no record: its key is fetched and stored anew. */
  #unreadable(): readonly ArtifactMeta[] {
    this.#onUnreadable();
    return [];
  }
}

/** The store opened the connection, and closes it. */
function driverOf(query: (sql: string, ...values: unknown[]) => Promise<unknown[]>): SqliteDriver {
  const close = async () => undefined;
  return { name: 'custom', connect: async () => ({ query, close }) };
}

function parseRecord(text: unknown): readonly ArtifactMeta[] | undefined {
  try {
    const { value } = JSON.parse(String(text)) as { readonly value: readonly ArtifactMeta[] };
    return Array.isArray(value) ? value : undefined;
  } catch {
    // Whoever asked hears that it is unreadable.
    return undefined;
  }
}
