import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { type WriteVector, writeVector } from '../../src/storage/engines/file-io.ts';
import { commit, sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const maxBytes = 8 * 1024 * 1024;

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code });
}

/** A medium that takes so many bytes of bodies. */
function smallMedium(limit: number): { write: WriteVector; limit: number } {
  const medium = {
    limit,
    write: async (fd: number, chunks: readonly Uint8Array[], position: number) => {
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      if (length > medium.limit) throw errno('ENOSPC');
      medium.limit -= length;
      return writeVector(fd, chunks, position);
    },
  };
  return medium;
}

describe('disk store in trouble', () => {
  test('a medium without space refuses, says so, keeps what was given, and recovers by itself', async () => {
    const medium = smallMedium(1_000_000);
    const reasons: string[] = [];
    const store = await createDiskStore({
      dir: await temporaryDirectory(),
      maxBytes,
      writeVector: medium.write,
      onTrouble: (reason) => reasons.push(reason),
    });
    const kept = sample('kept', 500_000);
    await commit(store, 'http://a.test/kept', kept);
    const one = sample('one', 2_000_000);
    const partial = await store.begin(2_000_000);
    let given = 0;
    for (let at = 0; at < 2_000_000; at += 100_000) {
      if (!partial.write(at, one.bytes.subarray(at, at + 100_000))) await partial.drained();
      if (partial.failure) break;
      given = at + 100_000;
    }
    await partial.drained();
    await expect(partial.commit('http://a.test/one', one.meta)).rejects.toMatchObject({
      code: 'storage_full',
      origin: 'storage',
    });
    const target = Buffer.alloc(given);
    for (let at = 0; at < given; ) at += await partial.read(at, target.subarray(at));
    expect(target.equals(one.bytes.subarray(0, given))).toBe(true);
    await partial.discard();
    expect(store.health()).toEqual({
      ok: false,
      reason: 'no space is left for files of the cache (ENOSPC)',
    });
    expect(reasons).toEqual(['no space is left for files of the cache (ENOSPC)']);
    expect(await stored(store, kept.meta)).toEqual(kept.bytes);

    medium.limit = 3_000_000;
    await commit(store, 'http://a.test/one', one);
    expect((await stored(store, one.meta))?.equals(one.bytes)).toBe(true);
    expect(store.health()).toEqual({ ok: true });
    // It made space before it tried again.
    expect(await store.get('http://a.test/kept')).toEqual([]);
    await store.close();
  });

  test('a medium that writes less than it was given is asked again', async () => {
    const store = await createDiskStore({
      dir: await temporaryDirectory(),
      maxBytes,
      writeVector: (fd, [first = new Uint8Array()], position) =>
        writeVector(fd, [first.subarray(0, 7_001)], position),
    });
    const one = sample('one', 300_000);
    await commit(store, 'http://a.test/', one);
    expect((await stored(store, one.meta))?.equals(one.bytes)).toBe(true);
    await store.close();
  });

  test('a failing write is a failure of that body alone', async () => {
    let failing = true;
    const store = await createDiskStore({
      dir: await temporaryDirectory(),
      maxBytes,
      writeVector: (fd, chunks, position) =>
        failing ? Promise.reject(errno('EIO')) : writeVector(fd, chunks, position),
    });
    await expect(commit(store, 'http://a.test/', sample('one', 300_000))).rejects.toMatchObject({
      code: 'storage_failed',
    });
    expect(store.health().ok).toBe(false);
    expect(store.stats()).toMatchObject({ bytes: 0, partialBytes: 0 });
    await commit(store, 'http://a.test/small', sample('small', 300));
    failing = false;
    await commit(store, 'http://a.test/', sample('one', 300_000));
    expect(store.health()).toEqual({ ok: true });
    await store.close();
  });

  test('a medium that became read-only fails fast', async () => {
    const store = await createDiskStore({
      dir: await temporaryDirectory(),
      maxBytes,
      writeVector: () => Promise.reject(errno('EROFS')),
    });
    await expect(commit(store, 'http://a.test/', sample('one', 300_000))).rejects.toMatchObject({
      code: 'storage_failed',
    });
    await expect(store.get('http://a.test/')).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(store.begin(1)).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(store.purge({ prefix: '' })).rejects.toMatchObject({ code: 'storage_failed' });
    const reason = 'the cache directory cannot be written (EROFS)';
    expect(store.health()).toEqual({ ok: false, reason });
    await store.close();
  });

  test.runIf(existsSync('/proc/self'))('says so of a folder that has no folders', async () => {
    const store = await createDiskStore({ dir: '/proc/millrace/cache', maxBytes });
    const reason = 'a file of the cache could not be read or written (ENOENT)';
    expect(store.health()).toEqual({ ok: false, reason });
    await store.close();
  });

  test('a directory that cannot be made gives a store that says so and fails fast', async () => {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, 'file'), '');
    const store = await createDiskStore({ dir: join(dir, 'file', 'cache'), maxBytes });
    expect(store.health().ok).toBe(false);
    expect(store.stats()).toMatchObject({ name: 'disk', maxBytes, bytes: 0 });
    for (const call of [
      store.get('http://a.test/'),
      store.put('http://a.test/', sample('none', 0).meta),
      store.openBody(sample('one', 1).meta.body),
      store.begin(1),
      store.delete('http://a.test/'),
      store.purge({ prefix: '' }),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'storage_failed', origin: 'storage' });
    }
    await store.swept;
    await store.close();
  });

  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'a directory without the right to write gives a store that says so',
    async () => {
      const dir = join(await temporaryDirectory(), 'cache');
      await mkdir(dir);
      await chmod(dir, 0o500);
      const store = await createDiskStore({ dir, maxBytes });
      expect(store.health().ok).toBe(false);
      await chmod(dir, 0o700);
    },
  );
});
