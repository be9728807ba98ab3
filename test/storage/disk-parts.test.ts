import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { DiskDatabase } from '../../src/storage/engines/disk-database.ts';
import { DiskFiles } from '../../src/storage/engines/disk-files.ts';
import { PartialFile } from '../../src/storage/engines/disk-partial-file.ts';
import { makeDiskParts } from '../../src/storage/engines/disk-parts.ts';
import { DiskTotalsCheck } from '../../src/storage/engines/disk-totals-check.ts';
import { DiskTrouble } from '../../src/storage/engines/disk-trouble.ts';
import { writeVector } from '../../src/storage/engines/file-io.ts';
import { sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

async function openParts() {
  const trouble = new DiskTrouble(() => undefined);
  const files = new DiskFiles(await temporaryDirectory());
  const database = new DiskDatabase(files.database, trouble, () => 0);
  files.prepare(0);
  const parts = makeDiskParts({
    files,
    database,
    trouble,
    maxBytes: 16 * 1024 * 1024,
    inlineBytes: 1024,
    writeVector,
    now: () => 0,
  });
  parts.jobs.count(parts.space);
  onTestFinished(() => database.close());
  return parts;
}

describe('parts of the disk store', () => {
  test('a file keeps its place though a later job of its transaction throws', async () => {
    const { committer, files, index, jobs, opener, space, ...file } = await openParts();
    const one = sample('one', 50_000);
    const held = await space.reserve(60_000, 'partial');
    const partial = new PartialFile(
      { ...file, path: files.newPartial(), writeVector: file.writeVector },
      50_000,
    );
    partial.write(0, one.bytes);
    await partial.sync();
    const transactions: boolean[] = [];
    const failing = () =>
      jobs.run(async () => {
        transactions.push(files.has(one.meta.body.sha256, 50_000));
        throw new Error('no');
      });
    // Behind the commit, which has space to reserve, and before the turn of both.
    const later = new Promise((resolve) => setImmediate(() => resolve(failing())));
    const results = await Promise.allSettled([
      committer.commit('http://a.test/', one.meta, { file: partial }, held),
      later,
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    // In one transaction both run twice, in this order; on a slow machine it may have been two.
    expect(transactions).not.toContain(false);
    expect(index.entry('http://a.test/')).toBeDefined();
    const reader = await opener.open(one.meta.body);
    expect(Buffer.from((await reader?.next()) ?? []).equals(one.bytes)).toBe(true);
    reader?.close();
  });

  test('a body that one job drops and a later one of the same transaction stores again is kept', async () => {
    const parts = await openParts();
    const {
      jobs,
      index,
      catalog,
      committer,
      files,
      space,
      trouble,
      syncSlots,
      spareBlocks,
      opener,
    } = parts;
    const one = sample('one', 50_000);
    const store = async (key: string) => {
      const held = await space.reserve(60_000, 'partial');
      const file = new PartialFile(
        { path: files.newPartial(), writeVector, trouble, syncSlots, spareBlocks },
        50_000,
      );
      file.write(0, one.bytes);
      await file.sync();
      return () => committer.commit(key, one.meta, { file }, held);
    };
    await (await store('http://a.test/'))();
    const again = await store('http://b.test/');
    const bytes = space.bytes - 60_000;
    let dropped = false;
    await Promise.all([
      jobs.run(async (change) => {
        const entry = index.entry('http://a.test/');
        if (entry) await catalog.remove(change, entry);
        dropped = index.body(one.meta.body.sha256) === undefined;
      }),
      again(),
    ]);
    await jobs.removed();
    expect(dropped).toBe(true);
    expect(files.has(one.meta.body.sha256, 50_000)).toBe(true);
    const reader = await opener.open(one.meta.body);
    expect(Buffer.from((await reader?.next()) ?? []).equals(one.bytes)).toBe(true);
    reader?.close();
    expect(space.bytes).toBe(bytes);
  });

  test('a recount in steps is exact however rows change meanwhile', async () => {
    const { database } = await openParts();
    const add = (id: number) =>
      database.run(
        'INSERT INTO entries (id, key, mount, bytes, used) VALUES (?, ?, NULL, ?, ?)',
        id,
        `key ${id}`,
        id % 100,
        id,
      );
    database.run('BEGIN');
    for (let id = 1; id <= 9000; id++) add(id);
    for (let id = 1; id <= 10; id++) {
      database.run('INSERT INTO bodies VALUES (?, ?, 1, 7, 0)', id, Buffer.alloc(32, id));
    }
    database.run('COMMIT');
    database.run('UPDATE totals SET bytes = 1000, entries = 5');
    const check = new DiskTotalsCheck(database);
    const change = { bytes: 0, entries: 0 };
    const behind = { bytes: 0, entries: 0 };
    check.begin();
    expect(check.step(change, behind)).toBe(false);
    database.run('DELETE FROM entries WHERE id IN (5, 50, 8000)');
    database.run('UPDATE entries SET bytes = bytes + 1000 WHERE id IN (7, 7000)');
    add(9001);
    expect(check.step(change, behind)).toBe(false);
    database.run('DELETE FROM entries WHERE id = 9001');
    add(9001);
    let done = false;
    for (let i = 0; !done && i < 10; i++) {
      database.run('UPDATE entries SET bytes = bytes + 3 WHERE id = 9001');
      database.run('DELETE FROM bodies WHERE id = ?', i + 1);
      done = check.step(change, behind);
    }
    check.end();
    expect(done).toBe(true);
    const right = database.get(
      `SELECT (SELECT sum(bytes) FROM entries) + (SELECT sum(bytes) FROM bodies) AS bytes,
         (SELECT count(*) FROM entries) AS entries`,
    );
    expect({ bytes: change.bytes + 1000, entries: change.entries + 5 }).toEqual({ ...right });
  });

  test('a recount knows what jobs before it in its transaction did', async () => {
    const { database, index, jobs } = await openParts();
    const check = new DiskTotalsCheck(database);
    await jobs.run(async () => check.begin());
    const [, off] = await Promise.all([
      jobs.run(async (change) => {
        index.addEntry('new', { mount: undefined, bytes: 50, used: 1 }, undefined, '{}');
        change.bytes += 50;
        change.entries++;
      }),
      jobs.run(async (job) => {
        const found = { bytes: 0, entries: 0 };
        let done = false;
        while (!done) done = check.step(found, job.uncounted());
        return found;
      }),
    ]);
    expect(off).toEqual({ bytes: 0, entries: 0 });
    expect(index.totals()).toMatchObject({ bytes: 50, entries: 1 });
  });

  test('a record that is read while another one is written is its own', async () => {
    const { catalog, jobs, records } = await openParts();
    const [old, young] = [sample('old', 0).meta, sample('young', 0).meta];
    await jobs.run((change) => catalog.store(change, 'old', old, undefined, 500));
    const reads = await jobs.run(async (change) => {
      const stored = catalog.store(change, 'young', young, undefined, 500);
      const reading = Array.from({ length: 20 }, async (_, turns) => {
        for (let i = 0; i < turns; i++) await undefined;
        return records.get('old');
      });
      await stored;
      return Promise.all(reading);
    });
    for (const variants of reads) expect(variants).toEqual([old]);
    expect(await records.get('young')).toEqual([young]);
  });

  test('a body of unknown size may end in the space it has when there is no more', async () => {
    const maxBytes = 1024 * 1024;
    const store = await createDiskStore({ dir: await temporaryDirectory(), maxBytes });
    const one = sample('one', 120_000);
    const partial = await store.begin(undefined);
    partial.write(0, one.bytes.subarray(0, 70_000));
    await new Promise<void>((resolve) => setImmediate(resolve));
    const rest = await store.begin(maxBytes - store.stats().bytes - 8192);
    partial.write(70_000, one.bytes.subarray(70_000));
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(partial.failure).toBeUndefined();
    await partial.commit('http://a.test/', one.meta);
    expect(await stored(store, one.meta)).toEqual(one.bytes);
    await rest.discard();
    await store.close();
  });

  test('the names in the directory are the documented ones', async () => {
    const { files } = await openParts();
    const sha256 = 'ab'.repeat(32);
    expect(files.body(sha256)).toBe(join(files.bodies, 'ab', 'ab'.repeat(31)));
    const path = files.newPartial();
    await writeFile(path, 'x');
    files.adopt(path, sha256);
    expect(files.has(sha256, 1)).toBe(true);
    expect(files.has(sha256, 2)).toBe(false);
  });
});
