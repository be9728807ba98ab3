import type { DiskDatabase } from './disk-database.ts';
import type { Totals } from './writer-job.ts';

const rowsPerStep = 4000;
const tables = ['entries', 'bodies'] as const;
type Table = (typeof tables)[number];
/** Where a table's count stands that has no more rows: changes to all of them are followed. */
const counted = Number.MAX_SAFE_INTEGER;

/**
 * Counts again what the counters say, a few thousand rows at a time. Temporary triggers keep the sum
 * right for rows that change after they were counted, so it is exact at its last step.
 */
export class DiskTotalsCheck {
  readonly #database: DiskDatabase;

  constructor(database: DiskDatabase) {
    this.#database = database;
  }

  begin(): void {
    this.#execute('CREATE TEMP TABLE recount (name TEXT PRIMARY KEY, bytes, count, cursor)');
    for (const table of tables) {
      this.#execute(`INSERT INTO recount VALUES ('${table}', 0, 0, 0)`);
      this.#trigger(table, 'INSERT', 'new', 'bytes + new.bytes, count = count + 1');
      this.#trigger(table, 'DELETE', 'old', 'bytes - old.bytes, count = count - 1');
      this.#trigger(table, 'UPDATE', 'old', 'bytes + new.bytes - old.bytes');
    }
  }

  /**
   * Counts some more; true when it is done and `change` has what the counters were off by, which are
   * `behind` what earlier jobs of the transaction did.
   */
  step(change: { bytes: number; entries: number }, behind: Totals): boolean {
    const table = tables.find((name) => this.#counted(name).cursor < counted);
    if (table) this.#count(table);
    const [entries, bodies] = tables.map((name) => this.#counted(name));
    if (!entries || !bodies || Math.min(entries.cursor, bodies.cursor) < counted) return false;
    const totals = this.#database.get('SELECT bytes, entries FROM totals');
    change.bytes += entries.bytes + bodies.bytes - Number(totals?.bytes) - behind.bytes;
    change.entries += entries.count - Number(totals?.entries) - behind.entries;
    return true;
  }

  end(): void {
    for (const table of tables) {
      for (const event of ['INSERT', 'DELETE', 'UPDATE']) {
        this.#execute(`DROP TRIGGER recount_${table}_${event}`);
      }
    }
    this.#execute('DROP TABLE recount');
  }

  #count(table: Table): void {
    const { cursor } = this.#counted(table);
    const rows = this.#database.get(
      `SELECT count(*) AS count, sum(bytes) AS bytes, max(id) AS last
       FROM (SELECT id, bytes FROM ${table} WHERE id > ? ORDER BY id LIMIT ${rowsPerStep})`,
      cursor,
    );
    const done = Number(rows?.count) < rowsPerStep;
    this.#database.run(
      'UPDATE recount SET bytes = bytes + ?, count = count + ?, cursor = ? WHERE name = ?',
      Number(rows?.bytes ?? 0),
      Number(rows?.count),
      done ? counted : Number(rows?.last),
      table,
    );
  }

  #counted(table: Table): { bytes: number; count: number; cursor: number } {
    const row = this.#database.get(
      'SELECT bytes, count, cursor FROM recount WHERE name = ?',
      table,
    );
    return {
      bytes: Number(row?.bytes),
      count: Number(row?.count),
      cursor: Number(row?.cursor),
    };
  }

  #trigger(table: Table, event: string, row: 'new' | 'old', change: string): void {
    this.#execute(
      `CREATE TEMP TRIGGER recount_${table}_${event} AFTER ${event} ON main.${table} BEGIN
         UPDATE recount SET bytes = ${change} WHERE name = '${table}' AND ${row}.id <= cursor;
       END`,
    );
  }

  #execute(sql: string): void {
    this.#database.run(sql);
  }
}
