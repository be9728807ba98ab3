import type { PurgeSelector } from '../store.ts';
import type { DiskDatabase, Row } from './disk-database.ts';
import type { Totals } from './writer-job.ts';

export interface EntryRow {
  readonly id: number;
  readonly key: string;
  readonly bytes: number;
}

/** What the row of a key says besides its record. */
export interface EntryColumns {
  readonly mount: string | undefined;
  /** What it counts for, its bodies not included. */
  readonly bytes: number;
  readonly used: number;
}

export interface BodyRow {
  readonly id: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly size: number;
  readonly bytes: number;
  readonly inline: boolean;
}

/** Greater, as UTF-8, than any text that begins with what stands before it. */
const lastCharacter = '\u{10FFFF}';

const bodyColumns = 'b.id, b.sha256, b.size, b.bytes, b.inline';

/** The index tables: synchronous statements, each in whatever transaction is open. */
export class DiskIndex {
  readonly #database: DiskDatabase;

  constructor(database: DiskDatabase) {
    this.#database = database;
  }

  /** The counters, and whether the last user of the database closed it. */
  totals(): { bytes: number; entries: number; closed: boolean } {
    const row = this.#database.get('SELECT bytes, entries, closed FROM totals') as
      | { bytes: number; entries: number; closed: number }
      | undefined;
    return row ? { ...row, closed: row.closed === 1 } : { bytes: 0, entries: 0, closed: true };
  }

  setClosed(closed: boolean): void {
    this.#database.run('UPDATE totals SET closed = ?', closed ? 1 : 0);
  }

  addTotals({ bytes, entries }: Totals): void {
    if (bytes === 0 && entries === 0) return;
    this.#database.run(
      'UPDATE totals SET bytes = bytes + ?, entries = entries + ?',
      bytes,
      entries,
    );
  }

  lastUse(): number {
    return numberOf(this.#database.get('SELECT max(used) AS value FROM entries'));
  }

  lastEntryId(): number {
    return numberOf(this.#database.get('SELECT max(id) AS value FROM entries'));
  }

  has(key: string): boolean {
    return this.#database.get('SELECT 1 FROM entries WHERE key = ?', key) !== undefined;
  }

  entry(key: string): EntryRow | undefined {
    return this.#database.get('SELECT id, key, bytes FROM entries WHERE key = ?', key) as
      | EntryRow
      | undefined;
  }

  /** The id of the new entry, whose only body is `body`; undefined when there is one for the key. */
  addEntry(
    key: string,
    { mount, bytes, used }: EntryColumns,
    body: number | undefined,
    record: string,
  ): number | undefined {
    return this.#database.insert(
      `INSERT INTO entries (key, mount, bytes, used, body, value) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (key, namespace) DO NOTHING`,
      key,
      mount ?? null,
      bytes,
      used,
      body ?? null,
      record,
    );
  }

  setEntry(key: string, { mount, bytes, used }: EntryColumns, record: string): void {
    this.#database.run(
      'UPDATE entries SET mount = ?, bytes = ?, used = ?, value = ? WHERE key = ?',
      mount ?? null,
      bytes,
      used,
      record,
      key,
    );
  }

  touch(key: string, used: number): void {
    this.#database.run('UPDATE entries SET used = max(used, ?) WHERE key = ?', used, key);
  }

  leastRecentlyUsed(limit: number): EntryRow[] {
    return this.#database.all(
      'SELECT id, key, bytes FROM entries ORDER BY used LIMIT ?',
      limit,
    ) as unknown as EntryRow[];
  }

  /** Selected entries, none newer than `maxId`. */
  select(selector: PurgeSelector, maxId: number, limit: number): EntryRow[] {
    const columns = 'SELECT id, key, bytes FROM entries WHERE';
    const rest = 'AND id <= ? LIMIT ?';
    const rows =
      'key' in selector
        ? this.#database.all(`${columns} key = ? ${rest}`, selector.key, maxId, limit)
        : 'mount' in selector
          ? this.#database.all(`${columns} mount = ? ${rest}`, selector.mount, maxId, limit)
          : this.#database.all(
              `${columns} key >= ? AND key < ? ${rest}`,
              selector.prefix,
              selector.prefix + lastCharacter,
              maxId,
              limit,
            );
    return rows as unknown as EntryRow[];
  }

  body(sha256: string): BodyRow | undefined {
    const sql = `SELECT ${bodyColumns} FROM bodies b WHERE b.sha256 = ?`;
    const row = this.#database.get(sql, Buffer.from(sha256, 'hex'));
    return row && bodyRow(row);
  }

  /** The body's row with its bytes when they are inline. */
  bodyWithBytes(sha256: string): (BodyRow & { readonly data: Uint8Array | undefined }) | undefined {
    const row = this.#database.get(
      `SELECT ${bodyColumns}, i.data FROM bodies b LEFT JOIN inline_bodies i ON i.id = b.id
       WHERE b.sha256 = ?`,
      Buffer.from(sha256, 'hex'),
    );
    return row && { ...bodyRow(row), data: (row.data as Uint8Array | null) ?? undefined };
  }

  /** Files in order of digest: those whose digest begins with this byte. */
  files(firstByte: number): BodyRow[] {
    const from = Buffer.alloc(32, 0);
    const to = Buffer.alloc(32, 0xff);
    from[0] = firstByte;
    to[0] = firstByte;
    const sql = `SELECT ${bodyColumns} FROM bodies b WHERE inline = 0 AND b.sha256 BETWEEN ? AND ?`;
    return this.#database.all(sql, from, to).map(bodyRow);
  }

  /** The id of the new row; undefined when there is one for the digest. */
  addBody(
    sha256: string,
    size: number,
    bytes: number,
    data: Uint8Array | undefined,
  ): number | undefined {
    const id = this.#database.insert(
      `INSERT INTO bodies (sha256, size, bytes, inline) VALUES (?, ?, ?, ?)
       ON CONFLICT (sha256) DO NOTHING`,
      Buffer.from(sha256, 'hex'),
      size,
      bytes,
      data ? 1 : 0,
    );
    if (id !== undefined && data) {
      this.#database.run('INSERT INTO inline_bodies (id, data) VALUES (?, ?)', id, data);
    }
    return id;
  }

  removeBody(body: BodyRow): void {
    this.#database.run('DELETE FROM bodies WHERE id = ?', body.id);
    if (body.inline) this.#database.run('DELETE FROM inline_bodies WHERE id = ?', body.id);
  }

  bodiesOf(entry: number): BodyRow[] {
    const sql = `SELECT ${bodyColumns} FROM bodies b WHERE b.id IN (
      SELECT body FROM entries WHERE id = ?1 UNION ALL SELECT body FROM refs WHERE entry = ?1)`;
    return this.#database.all(sql, entry).map(bodyRow);
  }

  keysOf(body: number): string[] {
    const sql = `SELECT key FROM entries WHERE body = ?1
      UNION SELECT e.key FROM refs r JOIN entries e ON e.id = r.entry WHERE r.body = ?1`;
    return this.#database.all(sql, body).map((row) => row.key as string);
  }

  /** The entry's only body, or one of several. */
  addRef(entry: number, body: number): void {
    const first = `UPDATE entries SET body = ?1 WHERE id = ?2 AND (body = ?1 OR body IS NULL AND
      NOT EXISTS (SELECT 1 FROM refs WHERE entry = ?2 AND body = ?1))`;
    if (this.#database.change(first, body, entry)) return;
    this.#database.run('INSERT OR IGNORE INTO refs (entry, body) VALUES (?, ?)', entry, body);
  }

  removeRef(entry: number, body: number): void {
    const first = 'UPDATE entries SET body = NULL WHERE id = ? AND body = ?';
    if (this.#database.change(first, entry, body)) return;
    this.#database.run('DELETE FROM refs WHERE entry = ? AND body = ?', entry, body);
  }

  /** Those of an entry that is removed: all but the one that its row named. */
  removeRefs(entry: number): void {
    this.#database.run('DELETE FROM refs WHERE entry = ?', entry);
  }

  hasRefs(body: number): boolean {
    const sql = `SELECT 1 FROM entries WHERE body = ?1
      UNION ALL SELECT 1 FROM refs WHERE body = ?1 LIMIT 1`;
    return this.#database.get(sql, body) !== undefined;
  }
}

function bodyRow(row: Row): BodyRow {
  const { id, sha256, size, bytes, inline } = row as {
    id: number;
    sha256: Uint8Array;
    size: number;
    bytes: number;
    inline: number;
  };
  return { id, sha256: Buffer.from(sha256).toString('hex'), size, bytes, inline: inline === 1 };
}

function numberOf(row: Row | undefined): number {
  return Number(row?.value ?? 0);
}
