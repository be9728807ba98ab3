import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { writeVector } from '../../src/storage/engines/file-io.ts';
import { commit, sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const mebibyte = 1024 * 1024;
const url = 'http://a.test/';

async function open(write = writeVector, maxBytes = 256 * mebibyte) {
  const dir = await temporaryDirectory();
  const store = await createDiskStore({ dir, maxBytes, writeVector: write });
  onTestFinished(() => store.close());
  return { dir, store };
}

test('a body that was announced and is no larger than 1 MiB is written at once, when all of it is there', async () => {
  const lengths: number[] = [];
  const { store } = await open((fd, chunks, position) => {
    lengths.push(chunks.reduce((sum, { length }) => sum + length, 0));
    return writeVector(fd, chunks, position);
  });
  const one = sample('one', mebibyte);
  await commit(store, url, one);
  expect(lengths).toEqual([mebibyte]);
  expect((await stored(store, one.meta))?.equals(one.bytes)).toBe(true);
});

test('such bodies hold 32 MiB at most; the others are written while they arrive', async () => {
  const { store } = await open();
  const { bytes } = sample('one', mebibyte);
  const begin = async () => {
    const partial = await store.begin(mebibyte);
    partial.write(0, bytes);
    return partial;
  };
  const partials = await Promise.all(Array.from({ length: 40 }, begin));
  const held = partials.filter((partial) => partial.inMemory(mebibyte) !== undefined);
  expect(held).toHaveLength(32);
  for (const partial of partials) await partial.discard();
  const next = await begin();
  expect(next.inMemory(mebibyte)?.length).toBe(mebibyte);
  await next.discard();
});

test('a body that gets no space does not count', async () => {
  const { store } = await open(writeVector, mebibyte / 2);
  for (let i = 0; i < 40; i++) {
    await expect(store.begin(mebibyte)).rejects.toMatchObject({ code: 'storage_full' });
  }
  const fitting = await store.begin(100_000);
  fitting.write(0, Buffer.alloc(100_000));
  expect(fitting.inMemory(100_000)).toBeDefined();
  await fitting.discard();
});

test('a file that could not be written is not left behind', async () => {
  const { dir, store } = await open(() => Promise.reject(new Error('the medium is broken')));
  await expect(commit(store, url, sample('one', 300_000))).rejects.toThrow();
  expect(readdirSync(join(dir, 'partial'))).toEqual([]);
  expect(store.stats()).toMatchObject({ bytes: 0, partialBytes: 0 });
});
