import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DiskDatabase } from '../../src/storage/engines/disk-database.ts';
import { DiskTrouble } from '../../src/storage/engines/disk-trouble.ts';
import { DiskWriter } from '../../src/storage/engines/disk-writer.ts';
import type { Totals } from '../../src/storage/engines/writer-job.ts';
import { temporaryDirectory } from './directories.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('the writer of the database', () => {
  async function open() {
    const trouble = new DiskTrouble(() => undefined);
    const path = join(await temporaryDirectory(), 'x.db');
    const database = new DiskDatabase(path, trouble, () => 0);
    const counted: Totals[] = [];
    const addTotals = (totals: Totals) => void counted.push(totals);
    // However slow the machine, a turn has time for all of its jobs.
    const writer = new DiskWriter({ database, trouble, addTotals, now: () => 0 });
    return { database, trouble, counted, writer };
  }

  function addTo(database: DiskDatabase, key: string, size = 10) {
    return database.insert(
      'INSERT INTO entries (key, mount, bytes, used) VALUES (?, ?, 1, 1)',
      key,
      'm'.repeat(size),
    );
  }

  function keysIn(database: DiskDatabase) {
    return database.all('SELECT key FROM entries ORDER BY key').map((row) => row.key);
  }

  test('jobs of one turn share a transaction, and one that throws is undone alone', async () => {
    const { database, writer, counted } = await open();
    const files = new Set<string>();
    const committed: string[] = [];
    const job = (key: string, fails = false) =>
      writer.run(
        (transaction) => {
          expect(database.inTransaction).toBe(true);
          expect(files.has(key)).toBe(false);
          files.add(key);
          transaction.onRollback(() => files.delete(key));
          transaction.bytes += 10;
          transaction.entries++;
          transaction.change(key, []);
          const id = addTo(database, key);
          if (fails) throw new Error(`no ${key}`);
          // Work that has to wait gives a promise.
          return key === 'a' ? id : Promise.resolve(id);
        },
        false,
        (done) => done.tell({ changed: (name) => committed.push(name), evicted: () => undefined }),
      );
    const results = await Promise.allSettled([job('a'), job('b', true), job('c'), job('d', true)]);
    expect(results).toMatchObject([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: { message: 'no b' } },
      { status: 'fulfilled', value: 2 },
      { status: 'rejected', reason: { message: 'no d' } },
    ]);
    expect(keysIn(database)).toEqual(['a', 'c']);
    expect([...files].sort()).toEqual(['a', 'c']);
    expect(committed).toEqual(['a', 'c']);
    expect(counted.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(20);
    expect(counted.reduce((sum, { entries }) => sum + entries, 0)).toBe(2);
    await writer.idle();
    database.close();
  });

  test('the counters are written once for a transaction, and a job can be told how far they are behind', async () => {
    const { database, writer, counted } = await open();
    const behind: unknown[] = [];
    const job = (bytes: number) =>
      writer.run(async (transaction) => {
        behind.push(transaction.uncounted());
        transaction.bytes = bytes;
        transaction.entries = 1;
      });
    await Promise.all([job(5), job(7), job(-2)]);
    expect(counted).toEqual([{ bytes: 10, entries: 3 }]);
    expect(behind).toEqual([
      { bytes: 0, entries: 0 },
      { bytes: 5, entries: 1 },
      { bytes: 12, entries: 2 },
    ]);
    database.close();
  });

  test('jobs that may wait gather where many came together; one that may not takes them along', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { database, writer } = await open();
    const order: string[] = [];
    const job = (name: string, patient: boolean) =>
      writer.run(async () => {
        order.push(name);
      }, patient);
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    // The first come alone, and are not kept waiting: nothing says that there are more.
    await Promise.all(['1', '2', '3', '4'].map((name) => job(name, true)));
    const patient = job('5', true);
    for (let i = 0; i < 3; i++) await turn();
    expect(order).toEqual(['1', '2', '3', '4']);
    await Promise.all([job('6', false), patient]);
    expect(order).toEqual(['1', '2', '3', '4', '5', '6']);
    // One that came alone: the next ones are not kept waiting, either.
    await job('7', false);
    await Promise.all(['8', '9'].map((name) => job(name, true)));
    const gathered = job('10', true);
    for (let i = 0; i < 3; i++) await turn();
    expect(order).not.toContain('10');
    vi.advanceTimersByTime(10);
    await gathered;
    database.close();
  });

  test('a database without space undoes the whole transaction, and goes on when there is some', async () => {
    const { database, trouble, writer } = await open();
    await writer.run(async () => addTo(database, 'kept'));
    const pages = Number(database.get('PRAGMA page_count')?.page_count);
    database.all(`PRAGMA max_page_count = ${pages + 4}`);
    const done = new Set<string>();
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((key) =>
        writer.run(async (transaction) => {
          done.add(key);
          transaction.onRollback(() => done.delete(key));
          addTo(database, key, 9000);
        }),
      ),
    );
    const rejected = results.filter((result) => result.status === 'rejected');
    expect(rejected.length).toBeGreaterThan(0);
    for (const { reason } of rejected) expect(reason).toMatchObject({ code: 'storage_full' });
    expect(done.size).toBe(3 - rejected.length);
    expect(keysIn(database)).toHaveLength(1 + 3 - rejected.length);
    database.all('PRAGMA max_page_count = 100000');
    await writer.run(async () => addTo(database, 'later', 9000));
    expect(keysIn(database)).toContain('later');
    expect(trouble.health).toEqual({ ok: true });
    database.close();
  });
});
