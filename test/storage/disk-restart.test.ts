import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import type { Store } from '../../src/storage/store.ts';
import { commit, sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const maxBytes = 32 * 1024 * 1024;
const now = () => 1_700_000_000_000;

describe('disk store, opened again', () => {
  test('a restart keeps what is stored, and the counters', async () => {
    const dir = await temporaryDirectory();
    const first = await createDiskStore({ dir, maxBytes });
    const small = sample('small', 1000);
    const large = sample('large', 300_000, { vary: [['accept', 'x']], mount: '/m' });
    await commit(first, 'http://a.test/x', small);
    await commit(first, 'http://a.test/x', large);
    const { bytes, entries } = first.stats();
    await first.close();
    const second = await createDiskStore({ dir, maxBytes });
    expect(second.stats()).toMatchObject({ bytes, entries });
    expect(await second.get('http://a.test/x')).toEqual([large.meta, small.meta]);
    expect(await stored(second, small.meta)).toEqual(small.bytes);
    expect((await stored(second, large.meta))?.equals(large.bytes)).toBe(true);
    expect(await second.purge({ mount: '/m' })).toBe(1);
    await second.close();
  });

  test.each([2_000_000, 200_000])(
    'a store that closes while a file of %s bytes is being stored waits for that',
    async (size) => {
      const dir = await temporaryDirectory();
      const store = await createDiskStore({ dir, maxBytes });
      const { bytes, meta } = sample('one', size);
      const partial = await store.begin(bytes.length, {
        key: 'http://a.test/one',
        etag: '"one"',
        head: meta,
      });
      partial.write(0, bytes);
      const committed = partial.commit('http://a.test/one', meta);
      await store.close();
      expect(await committed).toEqual(meta);
      const again = await createDiskStore({ dir, maxBytes });
      expect((await stored(again, meta))?.equals(bytes)).toBe(true);
      await again.close();
    },
  );

  test('a second store on the same directory is refused, and the first goes on', async () => {
    const dir = await temporaryDirectory();
    const first = await createDiskStore({ dir, maxBytes });
    await expect(createDiskStore({ dir, maxBytes })).rejects.toMatchObject({
      code: 'proxy_configuration_error',
      origin: 'gateway',
    });
    const partial = await first.begin(100_000);
    partial.write(0, sample('one', 100_000).bytes);
    await expect(createDiskStore({ dir, maxBytes })).rejects.toThrow('another process');
    await partial.commit('http://a.test/', sample('one', 100_000).meta);
    await first.close();
    await (await createDiskStore({ dir, maxBytes })).close();
  });

  test('a closed store fails fast', async () => {
    const store = await createDiskStore({ dir: await temporaryDirectory(), maxBytes });
    const partial = await store.begin(100_000);
    await store.close();
    await store.close();
    await expect(store.get('http://a.test/')).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(store.begin(1)).rejects.toMatchObject({ code: 'storage_failed' });
    await partial.discard();
  });

  test.each([
    [
      'a file that is no database',
      async (path: string) => writeFile(path, 'no database '.repeat(1000)),
    ],
    ['a database that is cut off', async (path: string) => truncate(path, 5000)],
  ])('%s is put aside and reported', async (_, damage) => {
    const dir = await temporaryDirectory();
    const first = await createDiskStore({ dir, maxBytes });
    await commit(first, 'http://a.test/', sample('one', 300_000));
    await first.close();
    await damage(join(dir, 'millrace.db'));
    const reasons: string[] = [];
    const store = await createDiskStore({
      dir,
      maxBytes,
      now,
      onTrouble: (reason) => reasons.push(reason),
    });
    // What is damaged deep inside shows when it is used.
    await commit(store, 'http://b.test/', sample('two', 300_000)).catch(() => undefined);
    await store.swept;
    await commit(store, 'http://b.test/', sample('two', 300_000));
    expect(await stored(store, sample('two', 300_000).meta)).toEqual(sample('two', 300_000).bytes);
    expect(store.health()).toEqual({ ok: true });
    expect(reasons.some((reason) => reason.includes('millrace.db.corrupt-1700000000000'))).toBe(
      true,
    );
    expect(await readdir(dir)).toContain('millrace.db.corrupt-1700000000000');
    await store.close();
    const again = await createDiskStore({ dir, maxBytes });
    await again.swept;
    expect(await bodyFiles(dir)).toHaveLength(1);
    await again.close();
  });

  test('a database that is damaged while it is used is replaced, and the store goes on', async () => {
    const dir = await temporaryDirectory();
    const first = await createDiskStore({ dir, maxBytes });
    for (let i = 0; i < 300; i++) await commit(first, `http://a.test/${i}`, sample(`${i}`, 3000));
    await first.close();
    await overwriteMiddle(join(dir, 'millrace.db'));
    const reasons: string[] = [];
    const store = await createDiskStore({
      dir,
      maxBytes,
      now,
      onTrouble: (reason) => reasons.push(reason),
    });
    for (let i = 0; i < 300; i++) {
      await Promise.resolve(store.get(`http://a.test/${i}`)).catch((error) =>
        expect(error.code).toBe('storage_failed'),
      );
    }
    for (let i = 0; i < 100; i++) {
      await commit(store, `http://b.test/${i}`, sample(`b${i}`, 3000)).catch((error) =>
        expect(error.origin).toBe('storage'),
      );
    }
    await commit(store, 'http://c.test/', sample('c', 3000));
    expect(await stored(store, sample('c', 3000).meta)).toEqual(sample('c', 3000).bytes);
    expect(reasons.join()).toContain('corrupt');
    expect(store.health()).toEqual({ ok: true });
    await store.close();
  });

  test('a database of another version is put aside', async () => {
    const dir = await temporaryDirectory();
    await (await createDiskStore({ dir, maxBytes })).close();
    withDatabase(dir, (database) => database.exec('PRAGMA user_version = 7'));
    const store = await createDiskStore({ dir, maxBytes, now });
    expect(store.health()).toEqual({ ok: true });
    expect(await readdir(dir)).toContain('millrace.db.version-7-1700000000000');
    await store.close();
  });

  test('a record that cannot be read is no record', async () => {
    const dir = await temporaryDirectory();
    const first = await createDiskStore({ dir, maxBytes });
    await commit(first, 'http://a.test/', sample('one', 100));
    await first.close();
    withDatabase(dir, (database) => database.exec("UPDATE entries SET value = '{broken'"));
    const reasons: string[] = [];
    const store = await createDiskStore({
      dir,
      maxBytes,
      onTrouble: (reason) => reasons.push(reason),
    });
    expect(await store.get('http://a.test/')).toEqual([]);
    expect(reasons).toHaveLength(1);
    await commit(store, 'http://a.test/', sample('two', 100));
    expect(await store.get('http://a.test/')).toEqual([sample('two', 100).meta]);
    await store.close();
  });

  test('the sweep removes what no row knows and forgets what has no file', async () => {
    const dir = await temporaryDirectory();
    const first = await createDiskStore({ dir, maxBytes });
    const kept = sample('kept', 200_000);
    const lost = sample('lost', 200_000);
    await commit(first, 'http://a.test/kept', kept);
    await commit(first, 'http://a.test/lost', lost);
    await first.close();
    await rm(join(dir, 'bodies', lost.meta.body.sha256.slice(0, 2)), { recursive: true });
    await mkdir(join(dir, 'bodies', '0e'), { recursive: true });
    await writeFile(join(dir, 'bodies', '0e', 'f'.repeat(62)), 'orphan');
    await writeFile(join(dir, 'bodies', '0e', 'not-ours'), 'kept');
    await writeFile(join(dir, 'partial', '1'), 'half a body');
    const store = await createDiskStore({ dir, maxBytes });
    await store.swept;
    expect(await bodyFiles(dir)).toEqual(['0enot-ours', kept.meta.body.sha256].sort());
    expect((await readdir(dir)).filter((name) => name.startsWith('partial.'))).toEqual([]);
    expect(await readdir(join(dir, 'partial'))).toEqual([]);
    expect(await store.get('http://a.test/lost')).toEqual([]);
    expect(await stored(store, kept.meta)).toEqual(kept.bytes);
    expect(store.stats().entries).toBe(1);
    await store.close();
  });

  test.each(['short', 'gone'])(
    'a body whose file is %s is a miss and is forgotten',
    async (how) => {
      const dir = await temporaryDirectory();
      const store = await createDiskStore({ dir, maxBytes });
      const one = sample('one', 200_000);
      await commit(store, 'http://a.test/', one);
      const { sha256 } = one.meta.body;
      const path = join(dir, 'bodies', sha256.slice(0, 2), sha256.slice(2));
      await (how === 'short' ? truncate(path, 100_000) : rm(path));
      expect(await store.openBody(one.meta.body)).toBeUndefined();
      expect(await store.get('http://a.test/')).toEqual([]);
      expect(store.stats()).toMatchObject({ entries: 0, bytes: 0 });
      await commit(store, 'http://a.test/', one);
      expect(await stored(store, one.meta)).toEqual(one.bytes);
      await store.close();
    },
  );

  test('a body whose file is gone is repaired by storing it again', async () => {
    const dir = await temporaryDirectory();
    const store = await createDiskStore({ dir, maxBytes });
    const one = sample('one', 200_000);
    await commit(store, 'http://a.test/', one);
    const { bytes } = store.stats();
    await rm(join(dir, 'bodies', one.meta.body.sha256.slice(0, 2)), { recursive: true });
    await commit(store, 'http://a.test/', one);
    expect(await stored(store, one.meta)).toEqual(one.bytes);
    expect(store.stats().bytes).toBe(bytes);
    await store.close();
  });

  test('a file that is cut off while it is read fails visibly', async () => {
    const dir = await temporaryDirectory();
    const store = await createDiskStore({ dir, maxBytes });
    const one = sample('one', 3_000_000);
    await commit(store, 'http://a.test/', one);
    const reader = await store.openBody(one.meta.body);
    await reader?.next();
    const { sha256 } = one.meta.body;
    await truncate(join(dir, 'bodies', sha256.slice(0, 2), sha256.slice(2)), 1_000_000);
    await expect(
      (async () => {
        while (await reader?.next());
      })(),
    ).rejects.toMatchObject({ code: 'stored_body_missing', origin: 'storage' });
    reader?.close();
    await store.close();
  });

  test('counters that are off are set right after an unclean end', async () => {
    const dir = await temporaryDirectory();
    const first = await createDiskStore({ dir, maxBytes });
    for (let i = 0; i < 20; i++)
      await commit(first, `http://a.test/${i}`, sample(`${i}`, 10_000 * i));
    const right = first.stats();
    await first.close();
    withDatabase(dir, (database) =>
      database.exec('UPDATE totals SET bytes = bytes + 12345, entries = 3, closed = 0'),
    );
    const second = await createDiskStore({ dir, maxBytes });
    expect(second.stats()).toMatchObject({ bytes: right.bytes + 12_345, entries: 3 });
    // What changes while it counts is counted once.
    await commit(second, 'http://b.test/', sample('new', 50_000));
    await second.delete('http://a.test/19');
    await second.swept;
    await second.delete('http://b.test/');
    await commit(second, 'http://a.test/19', sample('19', 190_000));
    expect(second.stats()).toMatchObject({ bytes: right.bytes, entries: 20 });
    await second.close();
    const third = await createDiskStore({ dir, maxBytes });
    expect(third.stats()).toMatchObject({ bytes: right.bytes, entries: 20 });
    await third.close();
  });

  test('a kill at any moment leaves no wrong byte, and the sweep leaves no orphan', async () => {
    const dir = await temporaryDirectory();
    for (const [round, lines] of [3, 40, 90].entries()) {
      const keys = await killedAfter(dir, String(round), lines);
      const store = await createDiskStore({ dir, maxBytes });
      // Eviction begins long after this many bodies, so what was stored is there.
      for (const key of keys) expect(await store.get(key)).toHaveLength(1);
      await expectRightBytes(store);
      await store.swept;
      await expectRightBytes(store);
      expect((await readdir(dir)).filter((name) => name.startsWith('partial.'))).toEqual([]);
      const { bytes, entries } = store.stats();
      await store.close();
      const onDisk = await bodyFiles(dir);
      withDatabase(dir, (database) => {
        const rows = database
          .prepare('SELECT hex(sha256) AS sha256 FROM bodies WHERE inline = 0')
          .all();
        const files = rows.map((row) => String(row.sha256).toLowerCase());
        expect(files.sort()).toEqual(onDisk);
        const sums = database
          .prepare(
            `SELECT (SELECT sum(bytes) FROM entries) + (SELECT sum(bytes) FROM bodies) AS bytes,
               (SELECT count(*) FROM entries) AS entries, (SELECT count(value) FROM entries) AS records`,
          )
          .get();
        expect(sums).toEqual({ bytes, entries, records: entries });
      });
    }
  });
});

/** Runs the child until it has stored that many bodies; the keys it had stored when it was killed. */
async function killedAfter(dir: string, seed: string, lines: number): Promise<string[]> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--no-warnings', join(import.meta.dirname, 'crash-child.ts'), dir, seed],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const keys: string[] = [];
  if (!child.stdout) throw new Error('the child has no output');
  for await (const key of createInterface({ input: child.stdout })) {
    keys.push(key);
    if (keys.length === lines) child.kill('SIGKILL');
  }
  if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return keys;
}

async function expectRightBytes(store: Store): Promise<void> {
  let seen = 0;
  for (let round = 0; round < 3; round++) {
    for (let worker = 0; worker < 4; worker++) {
      for (let i = 0; i < 60; i++) {
        const key = `http://a.test/${round}/${worker}/${i}`;
        for (const name of [key, `${key}/again`]) {
          for (const meta of await store.get(name)) {
            const bytes = await stored(store, meta);
            expect(bytes?.equals(sample(key, meta.body.size).bytes)).toBe(true);
            seen++;
          }
        }
      }
    }
  }
  expect(seen).toBeGreaterThan(0);
}

/** Digests of the files that are there. */
async function bodyFiles(dir: string): Promise<string[]> {
  const names = await readdir(join(dir, 'bodies'), { recursive: true });
  return names
    .filter((name) => name.length > 2)
    .map((name) => name.replace(/[/\\]/, ''))
    .sort();
}

function withDatabase(dir: string, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(dir, 'millrace.db'));
  try {
    work(database);
  } finally {
    database.close();
  }
}

/** Damages every page but the first few. */
async function overwriteMiddle(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    for (let at = 16 * 4096; at + 4096 <= size; at += 4096)
      await file.write(Buffer.alloc(4096, 0xaa), 0, 4096, at);
  } finally {
    await file.close();
  }
}
