import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import { until } from '../support/until.ts';
import { commit, sample, stored } from './bodies.ts';

const kibibyte = 1024;

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

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

  test('a store of many records closes', async () => {
    const store = createMemoryStore({ maxBytes: 64 * 1024 * kibibyte });
    for (let i = 0; i < 20_000; i++) await commit(store, `http://a.test/${i}`, sample(`${i}`, 10));
    expect(store.stats().entries).toBe(20_000);
    await store.close();
    expect(store.stats()).toMatchObject({ entries: 0, bytes: 0 });
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

  test('a lower bound lets the oldest go, holds for what comes, and is lifted again', async () => {
    const store = createMemoryStore({ maxBytes: 200 * kibibyte });
    const all = Array.from({ length: 20 }, (_, i) => sample(`body ${i}`, 10 * kibibyte));
    for (const [i, one] of all.slice(0, 16).entries()) {
      await commit(store, `http://a.test/${i}`, one);
    }
    store.setBound(50 * kibibyte);
    expect(store.bound).toBe(50 * kibibyte);
    expect(store.stats().maxBytes).toBe(200 * kibibyte);
    expect(store.stats().bytes).toBeLessThanOrEqual(50 * kibibyte);
    expect(store.peek('http://a.test/15')).toHaveLength(1);
    expect(store.peek('http://a.test/0')).toBeUndefined();
    for (const [i, one] of all.slice(16).entries()) await commit(store, `http://b.test/${i}`, one);
    expect(store.stats().bytes).toBeLessThanOrEqual(50 * kibibyte);
    expect(store.peek('http://b.test/3')).toHaveLength(1);
    store.setBound(500 * kibibyte);
    expect(store.bound).toBe(200 * kibibyte);
    for (const [i, one] of all.entries()) await commit(store, `http://c.test/${i}`, one);
    expect(store.stats().entries).toBeGreaterThan(10);
  });

  test('a bound sinks in steps where much has to go, and holds at each of them', async () => {
    const store = createMemoryStore({ maxBytes: 4096 * kibibyte });
    const { meta } = sample('none', 0);
    for (let i = 0; i < 3_500; i++) store.setRecords(`http://a.test/${i}`, [meta]);
    store.setBound(64 * kibibyte);
    expect(store.stats().entries).toBe(2_500);
    const bound = store.bound;
    expect(bound).toBe(store.stats().bytes);
    store.setRecords('http://b.test/', [meta]);
    expect(store.peek('http://b.test/')).toHaveLength(1);
    expect(store.stats().bytes).toBeLessThanOrEqual(bound);
    await until(() => store.bound === 64 * kibibyte);
    expect(store.stats().bytes).toBeLessThanOrEqual(64 * kibibyte);
    expect(store.peek('http://b.test/')).toHaveLength(1);
  });

  test('a bound that is lifted before it was reached stays lifted', async () => {
    const store = createMemoryStore({ maxBytes: 4096 * kibibyte });
    const { meta } = sample('none', 0);
    for (let i = 0; i < 3_500; i++) store.setRecords(`http://a.test/${i}`, [meta]);
    store.setBound(64 * kibibyte);
    store.setBound(4096 * kibibyte);
    await turns(5);
    expect(store.bound).toBe(4096 * kibibyte);
    expect(store.stats().entries).toBeGreaterThanOrEqual(2_500);
  });

  test('partial bodies that are above a new bound end by themselves, and nothing fits besides', async () => {
    const store = createMemoryStore({ maxBytes: 800 * kibibyte });
    const partial = await store.begin(100 * kibibyte);
    partial.write(0, new Uint8Array(100 * kibibyte));
    store.setBound(50 * kibibyte);
    expect(store.bound).toBe(50 * kibibyte);
    await expect(store.begin(1)).rejects.toMatchObject({ code: 'storage_full' });
    expect(await partial.read(0, new Uint8Array(10))).toBe(10);
    await partial.discard();
    const next = await store.begin(1);
    await next.discard();
  });

  test('what cannot fit costs nobody else a place', async () => {
    const store = createMemoryStore({ maxBytes: 800 * kibibyte });
    await commit(store, 'http://a.test/', sample('one', 1000));
    store.setBound(50 * kibibyte);
    await expect(store.begin(60 * kibibyte)).rejects.toMatchObject({ code: 'storage_full' });
    expect(store.stats().entries).toBe(1);
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
