import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
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
    await until(() => open().length === 0);
  },
);
