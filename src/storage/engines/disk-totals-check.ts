import type { DiskChange } from './disk-change.ts';
import type { DiskDatabase } from './disk-database.ts';

const rowsPerStep = 4000;
const tables = ['entries', 'bodies'] as const;
type Table = (typeof tables)[number];

/**
 * Counts again what the counters say, a few thousand rows at a time. Temporary triggers keep the sum
 * right for rows that change after they were counted, so it is exact at its last step.
 */
export class DiskTotalsCheck {
  readonly #database: DiskDatabase;
  readonly #left: Table[] = [...tables];

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

  /** Counts some more; true when it is done and `change` has what the counters were off by. */
  step(change: DiskChange): boolean {
    const table = this.#left[0];
    if (table && this.#count(table)) this.#left.shift();
    if (this.#left.length > 0) return false;
    const [entries, bodies] = tables.map((name) => this.#counted(name));
    const totals = this.#database.get('SELECT bytes, entries FROM totals');
    change.bytes += (entries?.bytes ?? 0) + (bodies?.bytes ?? 0) - Number(totals?.bytes);
    change.entries += (entries?.count ?? 0) - Number(totals?.entries);
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

  /** Whether the table has no more rows. */
  #count(table: Table): boolean {
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
      done ? Number.MAX_SAFE_INTEGER : Number(rows?.last),
      table,
    );
    return done;
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
    this.#database.query(sql, []);
  }
}
