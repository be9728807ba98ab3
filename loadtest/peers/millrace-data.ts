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
      INSERT INTO records (key, value, namespace, expires)
        SELECT r.key || suffix, value, namespace, expires FROM numbers, records r
        WHERE r.key = (SELECT key FROM first) ORDER BY suffix;
      INSERT INTO entries (id, key, mount, bytes, used)
        SELECT id + i, key || suffix, mount, bytes + 5 * length(suffix), used + i
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
