import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import type { Fill } from '../../src/pipeline/fill.ts';
import type { HashThread } from '../../src/pipeline/hash-thread.ts';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { type WriteVector, writeVector } from '../../src/storage/engines/file-io.ts';
import type { PartialIdentity, Store } from '../../src/storage/store.ts';
import { temporaryDirectory } from '../storage/directories.ts';
import { generatedBytes, generatedSha256 } from '../support/generated-bytes.ts';
import { until } from '../support/until.ts';
import { fillFixture, head, key, readAll } from './fill-fixture.ts';
import { dying, hashThread, silent, startingBytes } from './hash-threads.ts';

const mebibyte = 2 ** 20;
const size = 9 * mebibyte + 7;
const body = generatedBytes('large', 0, size);
const sha256 = generatedSha256('large', size);
const identity: PartialIdentity = { key, etag: '"v1"', head };
const brokenOff = new GatewayError('http_response_incomplete', 'cut', { origin: 'upstream' });

async function diskStore(dir: string, write: WriteVector = writeVector): Promise<Store> {
  const options = { dir, maxBytes: 64 * mebibyte, onTrouble: () => undefined };
  const store = await createDiskStore({ ...options, writeVector: write });
  onTestFinished(() => store.close());
  return store;
}

interface Setup {
  readonly dir?: string;
  readonly write?: WriteVector;
  readonly entry?: URL;
}

/** A fill into files, whose body a thread hashes. */
async function hashed({ dir, write, entry }: Setup = {}) {
  const { thread } = hashThread(entry && { entry });
  // With it the thread runs.
  const other = thread.begin(startingBytes);
  const folder = dir ?? (await temporaryDirectory());
  const store = await diskStore(folder, write);
  const partial = await store.begin(size, identity);
  const found = await fillFixture({ size, partial, hashing: thread });
  onTestFinished(() => other?.drop());
  return { ...found, store, partial, thread, folder };
}

async function pour(fill: Fill, partial: { drained(): Promise<void> }, from = 0, to = size) {
  for (let at = from; at < to; at += 100_000) {
    const flows = fill.append(at, body.subarray(at, Math.min(at + 100_000, to)));
    if (!flows) await partial.drained();
  }
}

test.each([
  ['in order', [0, 1, 2]],
  ['in parts out of order', [2, 1, 0]],
])('a body that comes %s is hashed from its file, and not here', async (_name, order) => {
  const { fill, store, partial } = await hashed();
  const reader = fill.read();
  fill.release();
  const read = readAll(reader);
  const third = 3 * mebibyte;
  for (const part of order) {
    const to = part === 2 ? size : (part + 1) * third;
    await pour(fill, partial, part * third, to);
  }
  // Nothing has been read back for it either.
  const reads = partial.read.bind(partial);
  let count = 0;
  partial.read = (...asked) => {
    count += 1;
    return reads(...asked);
  };
  expect((await read).equals(body)).toBe(true);
  const afterReader = count;
  await fill.finish();
  expect(count).toBe(afterReader);
  expect(fill.sha256).toBe(sha256);
  expect((await fill.settled)?.body).toEqual({ sha256, size });
  const stored = await store.openBody({ sha256, size });
  expect(stored && (await readAll(stored)).equals(body)).toBe(true);
});

test('readers have all of it before its hash is there; whoever comes then joins them', async () => {
  const { fill, partial, thread } = await hashed({ entry: silent });
  const reader = fill.read();
  fill.release();
  await pour(fill, partial);
  void fill.finish();
  expect((await readAll(reader)).equals(body)).toBe(true);
  expect([fill.complete, fill.sha256]).toEqual([true, undefined]);
  expect(fill.accepts(0)).toBe(true);
  expect((await readAll(fill.read())).equals(body)).toBe(true);
  // Without the thread it is hashed here after all.
  await thread.close();
  expect((await fill.settled)?.body.sha256).toBe(sha256);
});

test('a thread that dies in the middle costs no body', async () => {
  const { fill, partial, failures } = await hashed({ entry: dying });
  const read = readAll(fill.read());
  fill.release();
  await pour(fill, partial);
  await fill.finish();
  expect((await read).equals(body)).toBe(true);
  expect((await fill.settled)?.body.sha256).toBe(sha256);
  expect(failures).toEqual([]);
});

test('a disk that is full in the middle is nothing that a reader notices', async () => {
  let left = 4 * mebibyte;
  const { fill, partial, failures } = await hashed({
    write: (fd, chunks, position) => {
      left -= chunks.reduce((sum, { length }) => sum + length, 0);
      if (left < 0) throw Object.assign(new Error('made up'), { code: 'ENOSPC' });
      return writeVector(fd, chunks, position);
    },
  });
  const reader = fill.read();
  fill.release();
  const read: Buffer[] = [];
  let path = '';
  for (let at = 0; at < size; ) {
    fill.append(at, body.subarray(at, at + 100_000));
    await partial.drained();
    path ||= partial.file?.path ?? '';
    for (const end = Math.min(at + 100_000, size); at < end; ) {
      const chunk = Buffer.from((await reader.next()) ?? []);
      at += chunk.length;
      read.push(chunk);
    }
  }
  await fill.finish();
  reader.close();
  expect(Buffer.concat(read).equals(body)).toBe(true);
  expect(fill.complete).toBe(true);
  expect(await fill.settled).toBeUndefined();
  expect(failures).toHaveLength(1);
  expect(path).not.toBe('');
  await until(() => !existsSync(path), 'the file is gone');
});

test('a disk that is full at the very end is told once, and the readers have it all', async () => {
  const { fill, partial, failures } = await hashed({
    write: (fd, chunks, position) => {
      const end = chunks.reduce((sum, { length }) => sum + length, position);
      if (end === size) throw Object.assign(new Error('made up'), { code: 'ENOSPC' });
      return writeVector(fd, chunks, position);
    },
  });
  const read = readAll(fill.read());
  fill.release();
  await pour(fill, partial);
  await fill.finish();
  expect((await read).equals(body)).toBe(true);
  expect(await fill.settled).toBeUndefined();
  expect(failures).toHaveLength(1);
});

test('what broke off is taken up with all that was written, though the hash came behind', async () => {
  const { fill, partial, store } = await hashed();
  await pour(fill, partial, 0, 7 * mebibyte);
  fill.fail(brokenOff);
  const [left] = await store.leftovers(key);
  expect(left?.missing).toEqual([{ first: 7 * mebibyte, last: size - 1 }]);
  const again = await store.begin(size, identity);
  const checked: boolean[] = [];
  await again.resumed?.check((_piece, intact) => checked.push(intact));
  expect(new Set(checked)).toEqual(new Set([true]));
  await again.suspend();
});

test('a body whose file goes away while it is hashed takes nothing with it', async () => {
  const { fill, partial, thread, folder } = await hashed();
  await pour(fill, partial, 0, 7 * mebibyte);
  const path = partial.file?.path ?? '';
  fill.fail(new GatewayError('representation_changed', 'made up', { origin: 'upstream' }));
  await until(() => !existsSync(path), 'the file is gone');
  const next = await hashedBeside(thread, folder);
  expect((await next.settled)?.body.sha256).toBe(sha256);
});

async function hashedBeside(thread: HashThread, folder: string): Promise<Fill> {
  const store = await diskStore(join(folder, 'other'));
  const partial = await store.begin(size);
  const { fill } = await fillFixture({ size, partial, hashing: thread });
  await pour(fill, partial);
  await fill.finish();
  return fill;
}

test('a store that closes before the hash is there leaves the whole to be taken up', async () => {
  const dir = await temporaryDirectory();
  const { fill, partial, store, thread } = await hashed({ dir, entry: silent });
  await pour(fill, partial);
  const finished = fill.finish();
  await partial.drained();
  const closing = store.close();
  await thread.close();
  await Promise.all([closing, finished]);
  expect(await fill.settled).toBeUndefined();
  expect(fill.complete).toBe(true);
});
