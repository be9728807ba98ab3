import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Makes a store of one entry one of `count`: each copy has the same response under a URL of its own,
 * `?copy=1` and so on, and shares its body. The gateway must not run.
 */
export function multiplyRecords(data: string, count: number): void {
  const database = new DatabaseSync(join(data, 'millrace.db'));
  try {
    const { entries } = database.prepare('SELECT count(*) AS entries FROM entries').get() ?? {};
    if (entries !== 1) throw new Error(`the store to be multiplied has ${entries} entries`);
    database.exec(`
      PRAGMA synchronous = OFF;
      BEGIN;
      CREATE TEMP TABLE numbers AS
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
        SELECT i, '?copy=' || i AS suffix FROM n;
      CREATE TEMP TABLE first AS SELECT * FROM entries;
      INSERT INTO entries (id, key, namespace, mount, bytes, used, body, expires, value)
        SELECT id + i, key || suffix, namespace, mount, bytes + 3 * length(suffix), used + i,
          body, expires, value
        FROM numbers, first ORDER BY i;
      INSERT INTO refs (entry, body)
        SELECT entry + i, body FROM numbers, refs ORDER BY i;
      UPDATE totals SET
        bytes = bytes + (SELECT sum(bytes) FROM entries) - (SELECT bytes FROM first),
        entries = ${count};
      COMMIT;
    `);
  } finally {
    database.close();
  }
}
