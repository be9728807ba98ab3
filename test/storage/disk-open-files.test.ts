import { openSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { BodyFile } from '../../src/storage/engines/disk-body-file.ts';
import { DiskOpenFiles } from '../../src/storage/engines/disk-open-files.ts';
import { SyncReads } from '../../src/storage/engines/sync-reads.ts';
import { until } from '../support/until.ts';
import { drain, sample } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

/** More than what may wait in memory. */
const size = 6_000_000;

/** A store with a large body that has arrived and been read, and the files of bodies it has open. */
async function setup() {
  const dir = await temporaryDirectory();
  const store = await createDiskStore({ dir, maxBytes: 50_000_000 });
  const { bytes, meta } = sample('a', size);
  const partial = await store.begin(size);
  for (let at = 0; at < size; at += 100_000) {
    if (!partial.write(at, bytes.subarray(at, at + 100_000))) await partial.drained();
  }
  await partial.drained();
  const read = () => partial.read(0, Buffer.alloc(10));
  await read();
  const open = () =>
    readdirSync('/proc/self/fd')
      .map(linkOf)
      .filter((to) => to.startsWith(dir) && !to.includes('.db'));
  return { store, partial, meta, bytes, read, open };
}

/** Empty for what was closed since. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

/** The system says there what is open. */
const whereKnown = test.skipIf(process.platform !== 'linux');

whereKnown(
  'a discarded body is open for who reads it still, and closed when nobody does',
  async () => {
    const { partial, read, open } = await setup();
    await partial.discard();
    await read();
    expect(open()).toHaveLength(1);
    partial.release();
    await until(() => open().length === 0);
  },
);

whereKnown(
  'a body that was read stays open for the next reader until it is forgotten',
  async () => {
    const { store, partial, meta, bytes, open } = await setup();
    partial.release();
    await partial.commit('http://a.test/a', meta);
    await until(() => open().length === 0);
    expect(store.peekReader(meta.body)).toBeUndefined();
    const first = await store.openBody(meta.body);
    expect(first && (await drain(first)).equals(bytes)).toBe(true);
    const second = store.peekReader(meta.body, { first: 5, last: 99_999 });
    const third = await store.openBody(meta.body);
    expect(open()).toHaveLength(1);
    await store.delete('http://a.test/a');
    expect(store.peekReader(meta.body)).toBeUndefined();
    // Those that have it read on.
    expect(second && (await drain(second)).equals(bytes.subarray(5, 100_000))).toBe(true);
    expect(third && (await drain(third)).equals(bytes)).toBe(true);
    await until(() => open().length === 0);
    await store.close();
  },
);

whereKnown('no more files are kept open than a few hundred', async () => {
  const dir = await temporaryDirectory();
  const paths = Array.from({ length: 300 }, (_, i) => join(dir, String(i)));
  const openFiles = new DiskOpenFiles();
  const syncReads = new SyncReads(() => 0);
  const linked = () => readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(dir));
  for (const [i, path] of paths.entries()) {
    const fd = openSync(path, 'w+');
    const file = new BodyFile({ fd, size: 1, syncReads, failed: (error) => expect(error).toBe(0) });
    openFiles.add(String(i), file);
    file.release();
  }
  await until(() => linked().length === 256);
  expect(openFiles.take('43', 1)).toBeUndefined();
  expect(openFiles.take('299', 2)).toBeUndefined();
  openFiles.take('44', 1)?.release();
  openFiles.add(
    'new',
    new BodyFile({
      fd: openSync(join(dir, 'new'), 'w+'),
      size: 1,
      syncReads,
      failed: () => undefined,
    }),
  );
  expect(openFiles.take('45', 1)).toBeUndefined();
  openFiles.take('44', 1)?.release();
  openFiles.take('new', 1)?.release();
  openFiles.close();
  // The one that was never released by its maker.
  await until(() => linked().length === 1);
});

whereKnown('a discard on its way closes the body of a reader that has left', async () => {
  const { partial, open } = await setup();
  const discarded = partial.discard();
  partial.release();
  await discarded;
  await until(() => open().length === 0);
});

whereKnown(
  'a committed body that nobody reads is closed, and opened again for who comes late',
  async () => {
    const { store, partial, meta, bytes, read, open } = await setup();
    partial.release();
    await partial.commit('http://a.test/a', meta);
    await until(() => open().length === 0);
    expect(await read()).toBe(10);
    const reader = await store.openBody(meta.body);
    expect(reader && (await drain(reader)).equals(bytes)).toBe(true);
    partial.release();
    await until(() => open().length === 1);
    await store.close();
    await until(() => open().length === 0);
  },
);
