import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import type { PartialBody, Store } from '../../src/storage/store.ts';
import { commit, drain, sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const kibibyte = 1024;

describe('disk store', () => {
  test('the least recently used goes first; a read is a use', async () => {
    const store = await open(1000 * kibibyte);
    const keys = Array.from({ length: 9 }, (_, i) => `http://a.test/${i}`);
    for (const key of keys) await commit(store, key, sample(key, 100 * kibibyte));
    await store.get('http://a.test/0');
    await store.get('http://a.test/2');
    await store.get('http://a.test/0');
    for (const i of [9, 10]) {
      await commit(store, `http://a.test/${i}`, sample(`new ${i}`, 100 * kibibyte));
    }
    const left = await keysOf(store, 11);
    expect(left).not.toContain(1);
    expect(left).not.toContain(3);
    expect(left).toEqual(expect.arrayContaining([0, 2, 9, 10]));
    expect(store.stats().evictions).toBeGreaterThanOrEqual(2);
    await store.close();
  });

  test('uses are remembered over a restart', async () => {
    const dir = await temporaryDirectory();
    const first = await createDiskStore({ dir, maxBytes: 1000 * kibibyte });
    for (let i = 0; i < 8; i++)
      await commit(first, `http://a.test/${i}`, sample(`${i}`, 100 * kibibyte));
    await first.get('http://a.test/0');
    await first.close();
    const second = await createDiskStore({ dir, maxBytes: 1000 * kibibyte });
    for (let i = 8; i < 12; i++)
      await commit(second, `http://a.test/${i}`, sample(`${i}`, 100 * kibibyte));
    expect(await keysOf(second, 12)).toEqual(expect.arrayContaining([0, 9, 10, 11]));
    expect(await second.get('http://a.test/1')).toEqual([]);
    await second.close();
  });

  test('space for a body is there before its first byte is written', async () => {
    const store = await open(1000 * kibibyte);
    for (let i = 0; i < 9; i++)
      await commit(store, `http://a.test/${i}`, sample(`${i}`, 100 * kibibyte));
    const partial = await store.begin(500 * kibibyte);
    expect(store.stats().bytes).toBeLessThanOrEqual(1000 * kibibyte);
    expect(store.stats().partialBytes).toBeGreaterThanOrEqual(500 * kibibyte);
    expect(await keysOf(store, 9)).toEqual(expect.arrayContaining([6, 7, 8]));
    await expect(store.begin(600 * kibibyte)).rejects.toMatchObject({ code: 'storage_full' });
    await partial.discard();
    await store.close();
  });

  test('a body of unknown size is refused where space ends, and what it has stays readable', async () => {
    const store = await open(2000 * kibibyte);
    const bytes = sample('endless', 4000 * kibibyte).bytes;
    const partial = await store.begin(undefined);
    let given = 0;
    while (!partial.failure && given < bytes.length) {
      const chunk = bytes.subarray(given, given + 50_000);
      const flows = partial.write(given, chunk);
      if (!partial.failure) given += chunk.length;
      if (!flows) await partial.drained();
      await new Promise<void>((resolve) => setImmediate(resolve));
      expect(store.stats().bytes).toBeLessThanOrEqual(2000 * kibibyte);
    }
    expect(partial.failure).toMatchObject({ code: 'storage_full' });
    expect(given).toBeGreaterThan(1000 * kibibyte);
    const target = Buffer.alloc(given);
    for (let at = 0; at < given; ) at += await partial.read(at, target.subarray(at));
    expect(target.equals(bytes.subarray(0, given))).toBe(true);
    await expect(
      partial.commit('http://a.test/', sample('endless', given).meta),
    ).rejects.toMatchObject({
      code: 'storage_full',
    });
    await partial.discard();
    expect(store.stats().bytes).toBe(0);
    await store.close();
  });

  test('a body that is being read may be evicted, and the reader gets all of it', async () => {
    const store = await open(2000 * kibibyte);
    const one = sample('one', 1500 * kibibyte);
    await commit(store, 'http://a.test/', one);
    const reader = await store.openBody(one.meta.body);
    await commit(store, 'http://b.test/', sample('two', 1500 * kibibyte));
    expect(await store.openBody(one.meta.body)).toBeUndefined();
    expect(reader && (await drain(reader)).equals(one.bytes)).toBe(true);
    await store.close();
  });

  test('pages that bodies left go back to the file system', async () => {
    const dir = await temporaryDirectory();
    const store = await createDiskStore({ dir, maxBytes: 64 * 1024 * kibibyte });
    for (let i = 0; i < 100; i++)
      await commit(store, `http://a.test/${i}`, sample(`${i}`, 60 * kibibyte));
    await store.purge({ prefix: '' });
    await store.close();
    const again = await createDiskStore({ dir, maxBytes: 64 * 1024 * kibibyte });
    await again.swept;
    await again.close();
    expect((await stat(join(dir, 'millrace.db'))).size).toBeLessThan(2 * 1024 * kibibyte);
  });

  test('it never holds more than its bound, on the medium neither, and what it has is right', async () => {
    const operation = fc.record({
      kind: fc.constantFrom('commit', 'commit', 'unknown', 'delete', 'begin', 'end', 'read', 'put'),
      key: fc.integer({ min: 0, max: 15 }),
      size: fc.oneof(
        fc.integer({ min: 0, max: 4 * kibibyte }),
        fc.integer({ min: 4 * kibibyte, max: 120 * kibibyte }),
      ),
      vary: fc.integer({ min: 0, max: 2 }),
    });
    const maxBytes = 400 * kibibyte;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 12 }),
        async (turns) => {
          const dir = await temporaryDirectory();
          const store = await createDiskStore({ dir, maxBytes, inlineBytes: 8 * kibibyte });
          const partials: PartialBody[] = [];
          const run = async ({ kind, key, size, vary }: (typeof turns)[number][number]) => {
            const name = `http://a.test/${key}`;
            const one = sample(`${key} ${vary}`, size, { vary: [['accept', String(vary)]] });
            if (kind === 'commit') await commit(store, name, one, size, 9000);
            if (kind === 'unknown') {
              const partial = await store.begin(undefined);
              partial.write(0, one.bytes);
              await partial.commit(name, one.meta).finally(() => partial.discard());
            }
            if (kind === 'delete') await store.delete(name);
            if (kind === 'begin') partials.push(await store.begin(size));
            if (kind === 'end') await partials.pop()?.discard();
            if (kind === 'read') await store.get(name);
            if (kind === 'put')
              for (const meta of await store.get(name)) await store.put(name, meta);
          };
          for (const operations of turns) {
            const done = operations.map((each) =>
              run(each).catch((error) => {
                expect(['storage_full', 'stored_body_missing']).toContain(error.code);
              }),
            );
            for (const each of done) {
              expect(store.stats().bytes).toBeLessThanOrEqual(maxBytes);
              await each;
            }
            expect(await fileBytes(dir)).toBeLessThanOrEqual(maxBytes);
          }
          for (let key = 0; key <= 15; key++) {
            for (const meta of await store.get(`http://a.test/${key}`)) {
              const bytes = await stored(store, meta);
              const right = sample(`${key} ${meta.vary[0]?.[1]}`, meta.body.size).bytes;
              expect(bytes?.equals(right)).toBe(true);
            }
          }
          for (const partial of partials) await partial.discard();
          await store.purge({ prefix: '' });
          expect(store.stats()).toMatchObject({ bytes: 0, entries: 0, partialBytes: 0 });
          expect(await fileBytes(dir)).toBe(0);
          expect(store.health()).toEqual({ ok: true });
          await store.close();
        },
      ),
      { numRuns: 25 },
    );
  });
});

async function open(maxBytes: number): Promise<Store> {
  return createDiskStore({ dir: await temporaryDirectory(), maxBytes });
}

async function keysOf(store: Store, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    if ((await store.get(`http://a.test/${i}`)).length > 0) found.push(i);
  }
  return found;
}

async function fileBytes(dir: string): Promise<number> {
  let bytes = 0;
  for (const part of ['bodies', 'partial']) {
    for (const name of await readdir(join(dir, part), { recursive: true })) {
      const { size, isFile } = await stat(join(dir, part, name)).then((it) => ({
        size: it.size,
        isFile: it.isFile(),
      }));
      if (isFile) bytes += size;
    }
  }
  return bytes;
}
