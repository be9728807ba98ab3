import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BodyFile } from '../../src/storage/engines/disk-body-file.ts';
import { fetchedBytes } from '../../src/storage/engines/fetched-bytes.ts';
import { SyncReads } from '../../src/storage/engines/sync-reads.ts';
import { temporaryDirectory } from './directories.ts';

test('after a slow read files are left to the file threads for a while, longer each time', () => {
  const reads = new SyncReads(() => undefined);
  expect(reads.allowed(0)).toBe(true);
  expect(reads.took(0, 1)).toBe(false);
  expect(reads.took(100, 110)).toBe(false);
  expect(reads.allowed(114)).toBe(false);
  expect(reads.allowed(115)).toBe(true);
  expect(reads.took(200, 210)).toBe(true);
  expect(reads.allowed(229)).toBe(false);
  expect(reads.allowed(230)).toBe(true);
  for (let i = 0; i < 20; i += 1) reads.took(300, 310);
  expect(reads.allowed(310 + 9_999)).toBe(false);
  expect(reads.allowed(310 + 10_000)).toBe(true);
});

test('when many reads in a row were quick, the slow ones are forgotten', () => {
  const reads = new SyncReads(() => undefined);
  for (let i = 0; i < 5; i += 1) reads.took(0, 10);
  for (let i = 0; i < 256; i += 1) expect(reads.took(0, 0)).toBe(false);
  expect(reads.took(20_000, 20_010)).toBe(false);
  expect(reads.allowed(20_015)).toBe(true);
});

test('a slow read for which nothing was fetched waited for its turn, unless it was very long', () => {
  let fetched = 0;
  const reads = new SyncReads(() => fetched);
  reads.took(0, 20);
  expect(reads.allowed(20)).toBe(true);
  fetched = 4096;
  reads.took(20, 30);
  expect(reads.allowed(30)).toBe(false);
  reads.took(100, 110);
  expect(reads.allowed(110)).toBe(true);
  reads.took(110, 140);
  expect(reads.allowed(140)).toBe(false);
});

test('the system says what it fetched, or nothing', () => {
  const bytes = fetchedBytes();
  if (process.platform === 'linux') expect(bytes).toBeGreaterThanOrEqual(0);
  else expect(bytes).toBeUndefined();
});

test('what was never read is not read on the event loop, what was is, unless reads are slow', async () => {
  const dir = await temporaryDirectory();
  const path = join(dir, 'file');
  writeFileSync(path, Buffer.alloc(300_000, 'x'));
  const syncReads = new SyncReads(() => undefined);
  const file = new BodyFile({
    fd: openSync(path, 'r'),
    size: 300_000,
    syncReads,
    failed: () => undefined,
  });
  const target = Buffer.alloc(100_000);
  expect(file.readNow(target, 100_000, 0)).toBeUndefined();
  expect(await file.read(target, 100_000, 0)).toBe(100_000);
  target.fill(0);
  expect(file.readNow(target, 100_000, 0)).toBe(100_000);
  expect(target.every((byte) => byte === 0x78)).toBe(true);
  // Another part of the file.
  expect(file.readNow(target, 100_000, 150_000)).toBeUndefined();
  syncReads.took(performance.now(), performance.now() + 60_000);
  expect(file.readNow(target, 100_000, 0)).toBeUndefined();
  file.release();
});
