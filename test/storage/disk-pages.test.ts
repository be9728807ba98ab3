import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { pragmas, schema, schemaVersion } from '../../src/storage/engines/disk-schema.ts';
import { commit, sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const maxBytes = 32 * 1024 * 1024;

function pageBytesOf(dir: string): unknown {
  const database = new DatabaseSync(join(dir, 'millrace.db'));
  const row = database.prepare('PRAGMA page_size').get();
  database.close();
  return row?.page_size;
}

test('a new database has pages of 8 KiB', async () => {
  const dir = await temporaryDirectory();
  await (await createDiskStore({ dir, maxBytes })).close();
  expect(pageBytesOf(dir)).toBe(8192);
});

test('a database with pages of 4 KiB, as older versions made them, keeps them and what it has', async () => {
  const dir = await temporaryDirectory();
  await mkdir(dir, { recursive: true });
  const older = new DatabaseSync(join(dir, 'millrace.db'));
  older.exec(`PRAGMA page_size = 4096;${pragmas.replace(/PRAGMA page_size.*/, '')}`);
  older.exec(`${schema}PRAGMA user_version = ${schemaVersion};`);
  older.close();
  const reasons: string[] = [];
  const onTrouble = (reason: string) => reasons.push(reason);
  const first = await createDiskStore({ dir, maxBytes, onTrouble });
  const one = sample('one', 20_000);
  await commit(first, 'http://a.test/', one);
  await first.close();
  const second = await createDiskStore({ dir, maxBytes, onTrouble });
  expect(await second.get('http://a.test/')).toEqual([one.meta]);
  expect(await stored(second, one.meta)).toEqual(one.bytes);
  await second.close();
  expect(pageBytesOf(dir)).toBe(4096);
  expect(reasons).toEqual([]);
});
