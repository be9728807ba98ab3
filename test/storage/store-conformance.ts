import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PartialBody, Store } from '../../src/storage/store.ts';
import { maxVariants } from '../../src/storage/variants.ts';
import { commit, drain, sample, stored } from './bodies.ts';

/** What every store must do. The stores it is given take at least 8 MiB and bodies of 256 KiB. */
export function storeConformance(name: string, open: () => Promise<Store>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let store: Store;

    beforeEach(async () => {
      store = await open();
    });

    afterEach(async () => {
      await store.close();
    });

    test.each([0, 1, 5_000, 65_536, 65_537, 200_000])(
      'a committed body of %i bytes is served',
      async (size) => {
        const one = sample('one', size);
        expect(await commit(store, 'http://a.test/x', one)).toEqual(one.meta);
        expect(await store.get('http://a.test/x')).toEqual([one.meta]);
        expect(await stored(store, one.meta)).toEqual(one.bytes);
      },
    );

    test.each([0, 1, 5_000, 65_537, 200_000])(
      'a body of unknown size that has %i bytes is served',
      async (size) => {
        const one = sample('one', size);
        const partial = await store.begin(undefined);
        for (let at = 0; at < size; at += 10_000) {
          if (!partial.write(at, one.bytes.subarray(at, at + 10_000))) await partial.drained();
        }
        await partial.commit('http://a.test/x', one.meta);
        expect(await stored(store, one.meta)).toEqual(one.bytes);
      },
    );

    test('an unknown key has no variants', async () => {
      expect(await store.get('http://a.test/none')).toEqual([]);
      expect(await store.delete('http://a.test/none')).toBe(false);
    });

    test('a key longer than 255 characters works', async () => {
      const key = `http://a.test/${'long/'.repeat(1000)}\u00fc?q=%20&b="'`;
      const one = sample('one', 10);
      await commit(store, key, one);
      expect(await store.get(key)).toEqual([one.meta]);
      expect(await store.get(key.slice(0, -1))).toEqual([]);
      expect(await store.delete(key)).toBe(true);
      expect(await store.get(key)).toEqual([]);
    });

    test.each([
      [0, 0],
      [0, 99_999],
      [99_999, 99_999],
      [12_345, 87_654],
    ])('a range from %i to %i gives those bytes', async (first, last) => {
      for (const size of [100_000, 60_000]) {
        const one = sample(`of ${size}`, size);
        await commit(store, `http://a.test/${size}`, one);
        const reader = await store.openBody(one.meta.body, { first, last });
        expect(reader && (await drain(reader))).toEqual(one.bytes.subarray(first, last + 1));
      }
    });

    test('nothing is visible before the commit', async () => {
      const one = sample('one', 1000);
      const partial = await store.begin(1000);
      partial.write(0, one.bytes);
      expect(await store.get('http://a.test/x')).toEqual([]);
      expect(await store.openBody(one.meta.body)).toBeUndefined();
      expect(store.stats().partialBytes).toBeGreaterThanOrEqual(1000);
      await partial.commit('http://a.test/x', one.meta);
      expect(store.stats().partialBytes).toBe(0);
    });

    test('a discarded body gives everything back, however often', async () => {
      for (const size of [100, 200_000, undefined]) {
        const before = store.stats().bytes;
        const partial = await store.begin(size);
        partial.write(0, sample('one', 100).bytes);
        await partial.discard();
        await partial.discard();
        expect(store.stats().bytes).toBe(before);
        expect(store.stats().partialBytes).toBe(0);
      }
    });

    test('a body that is suspended before it is worth taking up is as if discarded', async () => {
      const one = sample('one', 200_000);
      const { body: _, ...head } = one.meta;
      const identity = { key: 'http://a.test/x', etag: '"one"', head };
      const before = store.stats().bytes;
      for (const named of [identity, undefined]) {
        const partial = await store.begin(200_000, named);
        expect(partial.resumed).toBeUndefined();
        partial.write(0, one.bytes.subarray(0, 150_000));
        expect((await readAt(partial, 0, 10)).length).toBe(10);
        await partial.suspend();
        await partial.suspend();
        await partial.discard();
        expect(await store.leftovers('http://a.test/x')).toEqual([]);
        expect(store.stats()).toMatchObject({ bytes: before, partialBytes: 0 });
      }
      const again = await store.begin(200_000, identity);
      again.write(0, one.bytes);
      await again.commit('http://a.test/x', one.meta);
      expect(await stored(store, one.meta)).toEqual(one.bytes);
    });

    test('a body may arrive in any order and be read where it has arrived', async () => {
      for (const size of [40_000, 240_000]) {
        const one = sample(`odd ${size}`, size);
        const partial = await store.begin(size);
        const half = size / 2;
        partial.write(half, one.bytes.subarray(half));
        partial.write(0, one.bytes.subarray(0, 1000));
        expect(await readAt(partial, half, size)).toEqual(one.bytes.subarray(half));
        expect(await readAt(partial, 0, size)).toEqual(one.bytes.subarray(0, 1000));
        partial.write(1000, one.bytes.subarray(1000, half));
        expect(await readAt(partial, 10, size)).toEqual(one.bytes.subarray(10));
        await partial.commit(`http://a.test/${size}`, one.meta);
        expect(await stored(store, one.meta)).toEqual(one.bytes);
      }
    });

    test('a reader of the partial body goes on after commit and after discard', async () => {
      for (const size of [1000, 200_000]) {
        for (const end of ['commit', 'discard'] as const) {
          const one = sample(`${end} ${size}`, size);
          const partial = await store.begin(size);
          partial.write(0, one.bytes);
          expect((await readAt(partial, 0, 10)).length).toBe(10);
          await (end === 'commit'
            ? partial.commit('http://a.test/x', one.meta)
            : partial.discard());
          expect(await readAt(partial, 10, size)).toEqual(one.bytes.subarray(10));
        }
      }
    });

    test('an incomplete body is refused and leaves nothing', async () => {
      const one = sample('one', 1000);
      const partial = await store.begin(1000);
      partial.write(0, one.bytes.subarray(0, 400));
      partial.write(500, one.bytes.subarray(500));
      await expect(partial.commit('http://a.test/x', one.meta)).rejects.toMatchObject({
        code: 'proxy_internal_error',
      });
      await partial.discard();
      expect(await store.get('http://a.test/x')).toEqual([]);
      expect(await store.openBody(one.meta.body)).toBeUndefined();
    });

    test('overlapping and overlong writes are refused', async () => {
      const partial = await store.begin(100);
      partial.write(0, new Uint8Array(50));
      expect(() => partial.write(49, new Uint8Array(10))).toThrow('written twice');
      expect(() => partial.write(95, new Uint8Array(10))).toThrow('longer than announced');
      await partial.discard();
    });

    test('a digest that is none is refused before it becomes a path', async () => {
      const meta = { ...sample('one', 4).meta, body: { sha256: '../../../etc/passwd', size: 4 } };
      const partial = await store.begin(4);
      partial.write(0, new Uint8Array(4));
      await expect(partial.commit('http://a.test/x', meta)).rejects.toThrow('SHA-256');
      await expect(store.put('http://a.test/x', meta)).rejects.toThrow('SHA-256');
      expect(await store.openBody(meta.body)).toBeUndefined();
      await partial.discard();
    });

    test('sizes that are none are refused', async () => {
      for (const size of [-1, 1.5, Number.NaN])
        await expect(store.begin(size)).rejects.toThrow('size');
    });

    test('a record needs its body', async () => {
      await expect(store.put('http://a.test/x', sample('one', 10).meta)).rejects.toMatchObject({
        code: 'stored_body_missing',
        origin: 'storage',
      });
      expect(await store.get('http://a.test/x')).toEqual([]);
    });

    test('a record without bytes needs no body', async () => {
      const { meta } = sample('none', 0, { status: 204 });
      await store.put('http://a.test/x', meta);
      expect(await store.get('http://a.test/x')).toEqual([meta]);
      expect(store.peekBody(meta.body)).toHaveLength(0);
    });

    test('variants are kept apart, the latest first, the same one replaced', async () => {
      const html = sample('html', 100, { vary: [['accept', 'text/html']] });
      const json = sample('json', 100, { vary: [['accept', 'application/json']] });
      const none = sample('none', 100, { vary: [['accept', null]] });
      for (const each of [html, json, none]) await commit(store, 'http://a.test/x', each);
      const newer = sample('newer', 120, { vary: html.meta.vary });
      await commit(store, 'http://a.test/x', newer);
      expect(await store.get('http://a.test/x')).toEqual([newer.meta, none.meta, json.meta]);
      expect(await store.openBody(html.meta.body)).toBeUndefined();
      expect(await stored(store, json.meta)).toEqual(json.bytes);
    });

    test('a key keeps a bounded number of variants', async () => {
      for (let i = 0; i <= maxVariants; i++) {
        await commit(
          store,
          'http://a.test/x',
          sample(`v${i}`, 50, { vary: [['accept', `v${i}`]] }),
        );
      }
      const variants = await store.get('http://a.test/x');
      expect(variants).toHaveLength(maxVariants);
      expect(variants[0]?.vary).toEqual([['accept', `v${maxVariants}`]]);
      expect(variants.at(-1)?.vary).toEqual([['accept', 'v1']]);
    });

    test('concurrent stores of one key all take effect', async () => {
      const all = Array.from({ length: 20 }, (_, i) =>
        sample(`v${i}`, 50, { vary: [['accept', `v${i}`]] }),
      );
      await Promise.all(all.map((each) => commit(store, 'http://a.test/x', each)));
      const variants = await store.get('http://a.test/x');
      expect(variants.map(({ body }) => body.sha256).sort()).toEqual(
        all.map(({ meta }) => meta.body.sha256).sort(),
      );
    });

    test('a validated record replaces the one before and keeps its body', async () => {
      const one = sample('one', 100_000);
      await commit(store, 'http://a.test/x', one);
      const validated = { ...one.meta, responseTime: one.meta.responseTime + 60_000 };
      await store.put('http://a.test/x', validated);
      expect(await store.get('http://a.test/x')).toEqual([validated]);
      expect(await stored(store, validated)).toEqual(one.bytes);
    });

    test('equal bodies are stored once and go with their last key', async () => {
      for (const size of [20_000, 150_000]) {
        const one = sample(`shared ${size}`, size);
        await commit(store, `http://a.test/${size}`, one);
        const { bytes } = store.stats();
        await commit(store, `http://b.test/${size}`, one);
        expect(store.stats().bytes - bytes).toBeLessThan(10_000);
        await store.delete(`http://a.test/${size}`);
        expect(await stored(store, one.meta)).toEqual(one.bytes);
        await store.delete(`http://b.test/${size}`);
        expect(await store.openBody(one.meta.body)).toBeUndefined();
      }
      expect(store.stats()).toMatchObject({ bytes: 0, entries: 0 });
    });

    test('purging takes what the selector names, and nothing else', async () => {
      const put = (key: string, mount?: string) =>
        commit(store, key, sample(key, 100_000, mount === undefined ? {} : { mount }));
      for (const key of ['http://a.test/p/1', 'http://a.test/p/2', 'http://a.test/q'])
        await put(key, '/a');
      await put('http://b.test/', '/b');
      await put('http://c.test/');
      expect(store.stats().entries).toBe(5);
      expect(await store.purge({ prefix: 'http://a.test/p/' })).toBe(2);
      expect(await store.get('http://a.test/p/1')).toEqual([]);
      expect(await store.purge({ key: 'http://b.test/' })).toBe(1);
      expect(await store.purge({ mount: '/a' })).toBe(1);
      expect(await store.purge({ mount: '/a' })).toBe(0);
      expect(await store.get('http://c.test/')).toHaveLength(1);
      expect(await store.purge({ prefix: '' })).toBe(1);
      expect(store.stats()).toMatchObject({ bytes: 0, entries: 0 });
    });

    test('purging takes what was on its way into the store', async () => {
      const key = 'http://a.test/x';
      const one = sample('one', 5_000, { mount: '/m' });
      for (const selector of [{ key }, { prefix: 'http://a.test/' }, { mount: '/m' }]) {
        const partial = await store.begin(one.bytes.length);
        partial.write(0, one.bytes);
        const storing = partial.commit(key, one.meta);
        await store.purge(selector);
        await storing;
        expect(await store.get(key)).toEqual([]);
      }
      expect(store.stats()).toMatchObject({ bytes: 0, entries: 0 });
    });

    test('a body with another size than its reference says is a miss', async () => {
      const one = sample('one', 70_000);
      await commit(store, 'http://a.test/x', one);
      expect(await store.openBody({ ...one.meta.body, size: 69_999 })).toBeUndefined();
    });

    test('a reader that is closed at any moment gives nothing more', async () => {
      const one = sample('one', 200_000);
      await commit(store, 'http://a.test/x', one);
      const pending = await store.openBody(one.meta.body);
      const next = pending?.next();
      pending?.close();
      pending?.close();
      await next;
      expect(await pending?.next()).toBeUndefined();
    });

    test('a body larger than the whole bound is refused at once', async () => {
      await expect(store.begin(store.stats().maxBytes + 1)).rejects.toMatchObject({
        code: 'storage_full',
      });
      expect(store.stats().bytes).toBe(0);
    });

    test('a healthy store says so', () => {
      expect(store.health()).toEqual({ ok: true });
    });
  });
}

async function readAt(partial: PartialBody, position: number, end: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const target = Buffer.alloc(30_000);
  let at = position;
  while (at < end) {
    let length: number;
    try {
      length = await partial.read(at, target);
    } catch (error) {
      if (chunks.length > 0 && String(error).includes('never written')) break;
      throw error;
    }
    chunks.push(Buffer.from(target.subarray(0, length)));
    at += length;
  }
  return Buffer.concat(chunks).subarray(0, end - position);
}
