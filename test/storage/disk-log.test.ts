import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DiskDatabase } from '../../src/storage/engines/disk-database.ts';
import type { SyncFile } from '../../src/storage/engines/disk-log.ts';
import { logBytes as logLimit } from '../../src/storage/engines/disk-schema.ts';
import { DiskTrouble } from '../../src/storage/engines/disk-trouble.ts';
import { DiskWriter } from '../../src/storage/engines/disk-writer.ts';
import { syncData } from '../../src/storage/engines/file-io.ts';
import { temporaryDirectory } from './directories.ts';

const block = 4096;

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code });
}

/** A database whose files are synced by `sync`, which gets how often it was called before. */
async function open(sync: (call: number, now: () => Promise<void>) => Promise<void>) {
  const path = join(await temporaryDirectory(), 'x.db');
  const reasons: string[] = [];
  const trouble = new DiskTrouble((reason) => reasons.push(reason));
  let calls = 0;
  const syncFile: SyncFile = (fd) => sync(calls++, () => syncData(fd));
  const database = new DiskDatabase(path, trouble, () => 0, syncFile);
  onTestFinished(() => database.close());
  const writer = new DiskWriter({ database, trouble, addTotals: () => undefined, now: () => 0 });
  const logBytes = () => statSync(`${path}-wal`).size;
  const logHeader = () => readFileSync(`${path}-wal`).subarray(0, 32).toString('hex');
  return { path, database, writer, trouble, reasons, logBytes, logHeader };
}

function add(database: DiskDatabase, id: number, bytes: number) {
  database.run(
    'INSERT OR REPLACE INTO inline_bodies (id, data) VALUES (?, ?)',
    id,
    Buffer.alloc(bytes, id),
  );
}

function has(database: DiskDatabase, id: number) {
  return database.get('SELECT 1 FROM inline_bodies WHERE id = ?', id) !== undefined;
}

/** The same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** Blocks of the one and of the other, as a power cut leaves what was not synced. */
function mixed(before: Buffer, after: Buffer, next: () => number): Buffer {
  // That a file was made shorter is on the medium, or is not.
  if (after.length < before.length) return next() < 0.5 ? before : after;
  const { length } = after;
  const result = Buffer.alloc(length);
  const blocks = Math.ceil(length / block);
  const border = Math.floor(next() * (blocks + 1));
  const order = next();
  for (let i = 0; i < blocks; i++) {
    // Some at random, or all up to one of them, or all from it on.
    const isNew = order < 0.3 ? next() < 0.5 : order < 0.65 ? i < border : i >= border;
    const from = isNew ? after : before;
    result.set(from.subarray(i * block, Math.min(i * block + block, length)), i * block);
  }
  return result;
}

describe('the log of the database', () => {
  test('is copied into the database between two transactions, and stays short however much is written', async () => {
    const { path, database, writer, logBytes, logHeader } = await open((_, now) => now());
    // One after the other: no transaction is large.
    for (let id = 0; id < 60; id++) {
      await writer.run(() => add(database, id, 200_000));
      expect(logBytes()).toBeLessThan(logLimit + 1024 * 1024);
    }
    await writer.idle();
    expect(statSync(path).size).toBeGreaterThan(60 * 200_000 - logLimit);
    const copied = logHeader();
    const ids = Array.from({ length: 60 }, (_, id) => id);
    await Promise.all(ids.map((id) => writer.run(() => add(database, id, 200_000))));
    await writer.idle();
    expect(logHeader()).not.toBe(copied);
    expect(logBytes()).toBeLessThan(16 * 1024 * 1024);
  });

  test('is whole on the medium before the copy, and the database before the log begins anew', async () => {
    const states: unknown[] = [];
    const { path, database, logHeader } = await open((_, now) => {
      states.push({ log: logHeader() === before, copied: statSync(path).size > 500_000 });
      return now();
    });
    add(database, 1, 500_000);
    const before = logHeader();
    expect(await database.log.empty()).toBeUndefined();
    expect(states).toEqual([
      { log: true, copied: false },
      { log: true, copied: true },
      { log: false, copied: true },
    ]);
  });

  test('a power cut at any step leaves a database that is whole, with all that was synced', async () => {
    const dir = await temporaryDirectory();
    const next = random(7);
    const read = (name: string) => (existsSync(name) ? readFileSync(name) : Buffer.alloc(0));
    let written = 0;
    let synced = 0;
    let cuts = 0;
    const files = () => [read(path), read(`${path}-wal`)] as const;
    const cut = () => {
      for (let i = 0; i < 4; i++) {
        const [data, log] = files();
        const copy = join(dir, `${cuts++}.db`);
        writeFileSync(copy, mixed(durable[0], data, next));
        writeFileSync(`${copy}-wal`, mixed(durable[1], log, next));
        const database = new DatabaseSync(copy);
        expect(database.prepare('PRAGMA integrity_check').all()).toEqual([
          { integrity_check: 'ok' },
        ]);
        const row = database.prepare('SELECT max(bytes) AS last FROM totals').get();
        expect(row?.last).toBeGreaterThanOrEqual(synced);
        expect(row?.last).toBeLessThanOrEqual(written);
        database.close();
      }
    };
    const { path, database } = await open(async (call, now) => {
      cut();
      await now();
      // What is on the medium: the log first and last, the database in between.
      const [data, log] = files();
      durable = call % 3 === 1 ? [data, durable[1]] : [durable[0], log];
      if (call % 3 === 0) synced = written;
      cut();
    });
    let durable = files();
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 6; i++) {
        written++;
        database.run('BEGIN IMMEDIATE');
        // Some are replaced by shorter ones, so that pages are freed and used again.
        add(database, Math.floor(next() * 8), Math.floor(next() * 20_000));
        database.run('UPDATE totals SET bytes = ?', written);
        database.run('COMMIT');
        cut();
      }
      expect(await database.log.empty()).toBeUndefined();
    }
    copyFileSync(path, join(dir, 'last.db'));
    expect(cuts).toBeGreaterThan(250);
  });

  test('a copy that is not on the medium yet keeps everything from being written, until it is', async () => {
    const failing = new Set([1, 2]);
    const { database, writer, trouble, reasons } = await open((call, now) =>
      failing.has(call) ? Promise.reject(errno('EIO')) : now(),
    );
    await writer.run(() => add(database, 1, 5_000_000));
    // The copy failed after that, and again before the next.
    await expect(writer.run(() => add(database, 2, 10))).rejects.toMatchObject({
      code: 'storage_failed',
    });
    expect(trouble.health.ok).toBe(false);
    expect(reasons).toEqual(['the database of the cache could not be read or written (EIO)']);
    expect(has(database, 1)).toBe(true);
    expect(has(database, 2)).toBe(false);
    await writer.run(() => add(database, 3, 10));
    expect(has(database, 3)).toBe(true);
    expect(trouble.health).toEqual({ ok: true });
  });

  test('another process finds the database in use, also after the log was copied', async () => {
    const { path, database } = await open((_, now) => now());
    const other = `
      const { DatabaseSync } = require('node:sqlite');
      try { new DatabaseSync(process.argv[1]).prepare('SELECT * FROM totals').all(); }
      catch (error) { console.log(error.errcode); }`;
    add(database, 1, 10_000);
    expect(await database.log.empty()).toBeUndefined();
    const { stdout } = spawnSync(process.execPath, ['-e', other, path], { encoding: 'utf8' });
    expect(stdout.trim()).toBe('5');
  });

  test('a log that cannot be synced is kept, and written on', async () => {
    const { database, writer, logHeader, reasons } = await open((call, now) =>
      call === 0 ? Promise.reject(errno('EIO')) : now(),
    );
    await writer.run(() => add(database, 1, 5_000_000));
    const kept = logHeader();
    await writer.run(() => add(database, 2, 100));
    await writer.idle();
    expect(reasons).toHaveLength(1);
    expect(logHeader()).toBe(kept);
    await writer.run(() => add(database, 3, 5_000_000));
    await writer.idle();
    expect(logHeader()).not.toBe(kept);
    for (const id of [1, 2, 3]) expect(has(database, id)).toBe(true);
  });

  test('whoever brings more is told to wait while many jobs wait for the medium', async () => {
    const medium = Promise.withResolvers<void>();
    const { database, writer } = await open((_, now) => medium.promise.then(now));
    const first = writer.run(() => add(database, 1, 5_000_000));
    expect(writer.eased()).toBeUndefined();
    await first;
    const jobs = Array.from({ length: 512 }, (_, i) => writer.run(() => add(database, i, 10)));
    const eased = writer.eased();
    expect(eased).toBeDefined();
    let waiting = true;
    const waited = eased?.then(() => {
      waiting = false;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(waiting).toBe(true);
    medium.resolve();
    await waited;
    await Promise.all(jobs);
    expect(writer.eased()).toBeUndefined();
    await writer.idle();
  });
});
