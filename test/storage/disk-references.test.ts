import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { commit, sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const maxBytes = 32 * 1024 * 1024;

interface Step {
  readonly key: number;
  readonly variant: number;
  readonly body: number;
  readonly kind: 'store' | 'put' | 'delete';
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    key: fc.nat(2),
    variant: fc.nat(2),
    body: fc.nat(3),
    kind: fc.constantFrom('store', 'store', 'put', 'delete'),
  }),
  { minLength: 1, maxLength: 25 },
);

function keyOf(key: number): string {
  return `http://a.test/${key}`;
}

/** Two are rows of the database, two are files. */
function response({ variant, body }: Step) {
  const vary: ArtifactMeta['vary'] = [['accept', `${variant}`]];
  return sample(`body ${body}`, body < 2 ? 2000 : 90_000, { vary });
}

function sorted(lines: Iterable<string>): string[] {
  return [...new Set(lines)].sort();
}

test('what entries refer to is what their records name, and nothing else is kept', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const dir = await temporaryDirectory();
      const store = await createDiskStore({ dir, maxBytes });
      const there = new Set<string>();
      for (const step of list) {
        const one = response(step);
        if (step.kind === 'delete') await store.delete(keyOf(step.key));
        else if (step.kind === 'store') await commit(store, keyOf(step.key), one);
        else if (there.has(one.meta.body.sha256)) await store.put(keyOf(step.key), one.meta);
        there.clear();
        for (const key of [0, 1, 2]) {
          for (const { body } of await store.get(keyOf(key))) there.add(body.sha256);
        }
      }
      const named: string[] = [];
      for (const key of [0, 1, 2]) {
        for (const meta of await store.get(keyOf(key))) {
          named.push(`${keyOf(key)} ${meta.body.sha256}`);
          expect(await stored(store, meta)).toHaveLength(meta.body.size);
        }
      }
      await store.close();
      const database = new DatabaseSync(join(dir, 'millrace.db'));
      const lines = (sql: string) =>
        database
          .prepare(sql)
          .all()
          .map((row) => String(row.line));
      const refs = lines(
        `SELECT e.key || ' ' || lower(hex(b.sha256)) AS line FROM bodies b, (
           SELECT id, body FROM entries WHERE body IS NOT NULL UNION ALL SELECT entry, body FROM refs
         ) r, entries e WHERE r.body = b.id AND e.id = r.id`,
      );
      const bodies = lines('SELECT lower(hex(sha256)) AS line FROM bodies');
      const dangling = lines(
        'SELECT entry AS line FROM refs WHERE entry NOT IN (SELECT id FROM entries)',
      );
      database.close();
      expect(refs).toHaveLength(new Set(refs).size);
      expect(sorted(refs)).toEqual(sorted(named));
      expect(sorted(bodies)).toEqual(sorted(there));
      expect(dangling).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
