import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import { commit, sample, stored } from './bodies.ts';

const kibibyte = 1024;

describe('memory store', () => {
  test('peek and peekBody give the very objects that are stored', async () => {
    const store = createMemoryStore({ maxBytes: 1024 * kibibyte });
    const one = sample('one', 1000);
    expect(store.peek('http://a.test/')).toBeUndefined();
    await commit(store, 'http://a.test/', one);
    expect(store.peek('http://a.test/')).toBe(store.peek('http://a.test/'));
    expect(store.peekBody(one.meta.body)).toEqual(one.bytes);
    expect(store.peekBody(one.meta.body)).toBe(store.peekBody(one.meta.body));
    expect(store.peekBody({ ...one.meta.body, size: 999 })).toBeUndefined();
  });

  test('a stored body holds no more memory than its size', async () => {
    const store = createMemoryStore({ maxBytes: 1024 * kibibyte });
    const one = sample('one', 1000);
    const partial = await store.begin(undefined);
    partial.write(0, Buffer.concat([one.bytes, Buffer.alloc(60_000)]).subarray(0, 1000));
    await partial.commit('http://a.test/', one.meta);
    expect(store.peekBody(one.meta.body)?.buffer.byteLength).toBe(1000);
  });

  test('a body is at most an eighth of the bound', async () => {
    const store = createMemoryStore({ maxBytes: 800 * kibibyte, maxBodyBytes: 500 * kibibyte });
    expect(store.maxBodyBytes).toBe(100 * kibibyte);
    await expect(store.begin(101 * kibibyte)).rejects.toMatchObject({ code: 'storage_full' });
    const partial = await store.begin(undefined);
    partial.write(0, new Uint8Array(60 * kibibyte));
    expect(partial.failure).toBeUndefined();
    partial.write(60 * kibibyte, new Uint8Array(60 * kibibyte));
    expect(partial.failure).toMatchObject({ code: 'storage_full' });
    expect(await partial.read(0, new Uint8Array(100 * kibibyte))).toBe(60 * kibibyte);
    await partial.discard();
    expect(store.stats().bytes).toBe(0);
  });

  test('a store without room keeps nothing and says full', async () => {
    const store = createMemoryStore({ maxBytes: 0 });
    await expect(store.begin(1)).rejects.toMatchObject({ code: 'storage_full' });
    await expect(commit(store, 'http://a.test/', sample('none', 0))).rejects.toMatchObject({
      code: 'storage_full',
    });
    expect(store.stats()).toMatchObject({ bytes: 0, entries: 0 });
  });

  test('the least recently used goes first, and its body with it', async () => {
    const store = createMemoryStore({ maxBytes: 100 * kibibyte });
    const all = Array.from({ length: 12 }, (_, i) => sample(`body ${i}`, 10 * kibibyte));
    for (const [i, one] of all.slice(0, 8).entries())
      await commit(store, `http://a.test/${i}`, one);
    store.peek('http://a.test/0');
    store.peekBody(all[0]?.meta.body as never);
    for (const [i, one] of all.slice(8).entries()) await commit(store, `http://b.test/${i}`, one);
    expect(store.peek('http://a.test/0')).toHaveLength(1);
    expect(store.peek('http://a.test/1')).toBeUndefined();
    expect(store.peekBody(all[1]?.meta.body as never)).toBeUndefined();
    expect(store.stats().evictions).toBeGreaterThan(0);
  });

  test('a record whose body is gone is forgotten when the body is asked for', async () => {
    const store = createMemoryStore({ maxBytes: 1024 * kibibyte });
    const one = sample('one', 100);
    store.setRecords('http://a.test/', [one.meta]);
    expect(await store.get('http://a.test/')).toEqual([one.meta]);
    expect(await store.openBody(one.meta.body)).toBeUndefined();
    expect(await store.get('http://a.test/')).toEqual([]);
  });

  test('it never holds more than its bound, and what it has is right', async () => {
    const operation = fc.record({
      kind: fc.constantFrom('commit', 'unknown', 'delete', 'begin', 'end', 'purge'),
      key: fc.integer({ min: 0, max: 12 }),
      size: fc.integer({ min: 0, max: 14 * kibibyte }),
      vary: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const maxBytes = 100 * kibibyte;
        const store = createMemoryStore({ maxBytes });
        const open = [];
        for (const { kind, key, size, vary } of operations) {
          const name = `http://a.test/${key}`;
          const one = sample(`${key} ${vary}`, size, { vary: [['accept', String(vary)]] });
          try {
            if (kind === 'commit') await commit(store, name, one);
            if (kind === 'unknown') {
              const partial = await store.begin(undefined);
              partial.write(0, one.bytes);
              await partial.commit(name, one.meta).finally(() => partial.discard());
            }
            if (kind === 'delete') await store.delete(name);
            if (kind === 'begin') open.push(await store.begin(size));
            if (kind === 'end') await open.pop()?.discard();
            if (kind === 'purge') await store.purge({ prefix: 'http://a.test/1' });
          } catch (error) {
            expect(error).toMatchObject({ code: 'storage_full' });
          }
          expect(store.stats().bytes).toBeLessThanOrEqual(maxBytes);
        }
        for (let key = 0; key <= 12; key++) {
          for (const meta of await store.get(`http://a.test/${key}`)) {
            const seed = `${key} ${meta.vary[0]?.[1]}`;
            const bytes = await stored(store, meta);
            if (bytes) expect(bytes).toEqual(sample(seed, meta.body.size).bytes);
          }
        }
        for (const partial of open) await partial.discard();
        await store.purge({ prefix: '' });
        expect(store.stats()).toMatchObject({ bytes: 0, entries: 0, partialBytes: 0 });
      }),
      { numRuns: 60 },
    );
  });
});
