import { describe, expect, onTestFinished, test } from 'vitest';
import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import type { LowerStore } from '../../src/storage/lower-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { createTiers } from '../../src/storage/tiers.ts';
import { commit, sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const mebibyte = 1024 * 1024;
const key = 'http://a.test/x';

async function open(maxBytes = 32 * mebibyte) {
  const dir = await temporaryDirectory();
  const disk = await createDiskStore({ dir, maxBytes });
  const memory = createMemoryStore({ maxBytes: 8 * mebibyte });
  onTestFinished(() => disk.close());
  return { dir, disk, memory, tiers: createTiers(memory, disk) };
}

/** The disk, but that the named methods wait or fail as the test says. */
function wrap(disk: LowerStore, changes: Partial<LowerStore>): LowerStore {
  return {
    peek: (name) => disk.peek(name),
    get: (name) => disk.get(name),
    put: (name, meta) => disk.put(name, meta),
    peekBody: (body) => disk.peekBody(body),
    peekReader: (body, range, lead, pieces) => disk.peekReader(body, range, lead, pieces),
    peekPart: (body, range) => disk.peekPart(body, range),
    openBody: (body, range, pieces) => disk.openBody(body, range, pieces),
    begin: (size, identity) => disk.begin(size, identity),
    leftovers: (name) => disk.leftovers(name),
    delete: (name) => disk.delete(name),
    purge: (selector) => disk.purge(selector),
    stats: () => disk.stats(),
    health: () => disk.health(),
    close: () => disk.close(),
    touch: (name) => disk.touch(name),
    listen: (listener) => disk.listen(listener),
    ...changes,
  };
}

const broken = () =>
  Promise.reject(new GatewayError('storage_failed', 'the disk is broken', { origin: 'storage' }));

describe('tiers', () => {
  test('a small body that was committed is in both; a large one on disk, its record in both', async () => {
    const { tiers, disk } = await open();
    const small = sample('small', 50_000);
    const large = sample('large', 3_000_000, { vary: [['accept', null]] });
    await commit(tiers, key, small);
    await commit(tiers, key, large);
    expect(tiers.peek(key)).toEqual([large.meta, small.meta]);
    expect(tiers.peekBody(small.meta.body)).toEqual(small.bytes);
    expect(tiers.peekBody(large.meta.body)).toBeUndefined();
    expect((await stored(tiers, large.meta))?.equals(large.bytes)).toBe(true);
    expect(await disk.get(key)).toEqual([large.meta, small.meta]);
    expect(await stored(disk, small.meta)).toEqual(small.bytes);
  });

  test.each([50_000, 500_000])('a hit on disk of %i bytes is promoted', async (size) => {
    const { tiers, disk } = await open();
    const one = sample('one', size);
    await commit(disk, key, one);
    const cold = createMemoryStore({ maxBytes: 8 * mebibyte });
    const fresh = createTiers(cold, disk);
    expect(fresh.peek(key)).toBeUndefined();
    expect(await fresh.get(key)).toEqual([one.meta]);
    expect(fresh.peek(key)).toEqual([one.meta]);
    expect(fresh.peekBody(one.meta.body)).toBeUndefined();
    expect((await stored(fresh, one.meta))?.equals(one.bytes)).toBe(true);
    expect(Buffer.from(fresh.peekBody(one.meta.body) ?? []).equals(one.bytes)).toBe(true);
    expect(tiers.stats().tiers).toHaveLength(2);
  });

  test('a herd that asks for a cold small body reads it once', async () => {
    const { disk } = await open();
    const one = sample('one', 500_000);
    await commit(disk, key, one);
    let opened = 0;
    const counted = wrap(disk, {
      openBody: (body, range) => {
        opened++;
        return disk.openBody(body, range);
      },
    });
    const tiers = createTiers(createMemoryStore({ maxBytes: 8 * mebibyte }), counted);
    await tiers.get(key);
    const all = await Promise.all(Array.from({ length: 50 }, () => stored(tiers, one.meta)));
    for (const bytes of all) expect(bytes?.equals(one.bytes)).toBe(true);
    expect(opened).toBe(1);
  });

  test.each([
    ['delete', (tiers: Store) => tiers.delete(key)],
    ['purge by key', (tiers: Store) => tiers.purge({ key })],
    ['purge by prefix', (tiers: Store) => tiers.purge({ prefix: 'http://a.test/' })],
    ['purge by mount', (tiers: Store) => tiers.purge({ mount: '/m' })],
  ])('%s reaches both', async (_, forget) => {
    const { tiers, memory, disk } = await open();
    const one = sample('one', 50_000, { mount: '/m' });
    await commit(tiers, key, one);
    await forget(tiers);
    for (const store of [tiers, memory, disk]) {
      expect(store.peek(key)).toBeUndefined();
      expect(await store.get(key)).toEqual([]);
      expect(store.peekBody(one.meta.body)).toBeUndefined();
    }
    expect(await tiers.openBody(one.meta.body)).toBeUndefined();
  });

  test('a purge while a record is being loaded does not bring it back', async () => {
    const { disk } = await open();
    const one = sample('one', 1000);
    await commit(disk, key, one);
    const gate = Promise.withResolvers<void>();
    const memory = createMemoryStore({ maxBytes: 8 * mebibyte });
    const slow = wrap(disk, {
      get: async (name) => {
        const variants = await disk.get(name);
        await gate.promise;
        return variants;
      },
    });
    const tiers = createTiers(memory, slow);
    const loading = tiers.get(key);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(await tiers.purge({ prefix: '' })).toBe(1);
    gate.resolve();
    expect(await loading).toEqual([one.meta]);
    expect(tiers.peek(key)).toBeUndefined();
  });

  test('a store while a record is being loaded is not overwritten by it', async () => {
    const { disk } = await open();
    const one = sample('one', 1000);
    const two = sample('two', 1000);
    await commit(disk, key, one);
    const gate = Promise.withResolvers<void>();
    const slow = wrap(disk, {
      get: async (name) => {
        const variants = await disk.get(name);
        await gate.promise;
        return variants;
      },
    });
    const tiers = createTiers(createMemoryStore({ maxBytes: 8 * mebibyte }), slow);
    const loading = tiers.get(key);
    await new Promise<void>((resolve) => setImmediate(resolve));
    await commit(tiers, key, two);
    gate.resolve();
    await loading;
    expect(tiers.peek(key)).toEqual([two.meta]);
  });

  test('what is used in memory is not the first to be evicted from disk', async () => {
    const { tiers, disk } = await open(4 * mebibyte);
    for (let i = 0; i < 8; i++) await commit(tiers, `http://a.test/${i}`, sample(`${i}`, 400_000));
    expect(tiers.peek('http://a.test/0')).toHaveLength(1);
    for (let i = 8; i < 12; i++) await commit(tiers, `http://a.test/${i}`, sample(`${i}`, 400_000));
    expect(await disk.get('http://a.test/0')).toHaveLength(1);
    expect(await disk.get('http://a.test/1')).toEqual([]);
  });

  test('an evicted record goes from memory unless its body is there', async () => {
    const { tiers } = await open(4 * mebibyte);
    await commit(tiers, 'http://a.test/small', sample('small', 100_000));
    const large = sample('large', 2_000_000);
    await commit(tiers, 'http://a.test/large', large);
    await commit(tiers, 'http://a.test/next', sample('next', 3_000_000));
    expect(await tiers.get('http://a.test/small')).toHaveLength(1);
    expect(await stored(tiers, sample('small', 100_000).meta)).toHaveLength(100_000);
    expect(await tiers.get('http://a.test/large')).toEqual([]);
    expect(await tiers.openBody(large.meta.body)).toBeUndefined();
  });

  test('a disk that fails leaves the memory tier working, and health says so', async () => {
    const { disk } = await open();
    const reason = 'the cache directory cannot be written';
    const failing = wrap(disk, {
      get: broken,
      put: broken,
      openBody: broken,
      begin: broken,
      purge: broken,
      health: () => ({ ok: false, reason }),
    });
    const tiers = createTiers(createMemoryStore({ maxBytes: 8 * mebibyte }), failing);
    const one = sample('one', 50_000);
    expect(await tiers.get(key)).toEqual([]);
    expect(await tiers.openBody(one.meta.body)).toBeUndefined();
    await commit(tiers, key, one);
    expect(await tiers.get(key)).toEqual([one.meta]);
    expect(await stored(tiers, one.meta)).toEqual(one.bytes);
    const validated: ArtifactMeta = { ...one.meta, responseTime: one.meta.responseTime + 1 };
    await tiers.put(key, validated);
    expect(tiers.peek(key)).toEqual([validated]);
    await expect(tiers.begin(3_000_000)).rejects.toMatchObject({ code: 'storage_full' });
    expect(tiers.health()).toEqual({ ok: false, reason });
    await expect(tiers.purge({ key })).rejects.toMatchObject({ code: 'storage_failed' });
    expect(tiers.peek(key)).toBeUndefined();
  });

  test('a small body that is in memory anyway is not copied for the memory tier', async () => {
    const { disk } = await open();
    const shared: (Uint8Array | undefined)[] = [];
    const watched = wrap(disk, {
      begin: async (size, identity) => {
        const partial = await disk.begin(size, identity);
        const inMemory = partial.inMemory.bind(partial);
        partial.inMemory = (bytes) => shared[shared.push(inMemory(bytes)) - 1];
        return partial;
      },
    });
    const tiers = createTiers(createMemoryStore({ maxBytes: 8 * mebibyte }), watched);
    const small = sample('small', 5000);
    await commit(tiers, key, small);
    expect(shared).toEqual([small.bytes]);
    expect(tiers.peekBody(small.meta.body)).toBe(shared[0]);
    const file = sample('in a file', 500_000);
    await commit(tiers, 'http://a.test/file', file);
    expect(shared[1]).toEqual(file.bytes);
    expect(tiers.peekBody(file.meta.body)).toBe(shared[1]);
    const unannounced = sample('of unknown size', 500_000);
    const partial = await tiers.begin(undefined);
    partial.write(0, unannounced.bytes);
    await partial.commit('http://a.test/unannounced', unannounced.meta);
    expect(shared).toHaveLength(3);
    expect(shared[2]).toBeUndefined();
    expect(tiers.peekBody(unannounced.meta.body)).toEqual(unannounced.bytes);
  });

  test('what memory keeps of a file is never written over by what is stored later', async () => {
    const { tiers } = await open();
    // As long as the blocks in which larger bodies wait, whose memory is used again.
    const kept = sample('as long as a block', 256 * 1024);
    await commit(tiers, key, kept);
    for (let i = 0; i < 20; i++)
      await commit(tiers, `http://a.test/${i}`, sample(`${i}`, 2_000_000));
    expect(tiers.peekBody(kept.meta.body)).toEqual(kept.bytes);
  });

  test('a disk that fails at the commit leaves a small response in memory', async () => {
    const { disk } = await open();
    const failing = wrap(disk, {
      begin: async (size) => {
        const partial = await disk.begin(size);
        return {
          resumed: undefined,
          write: (position, chunk) => partial.write(position, chunk),
          drained: () => partial.drained(),
          failure: undefined,
          read: (position, target) => partial.read(position, target),
          inMemory: () => undefined,
          commit: broken,
          discard: () => partial.discard(),
          suspend: () => partial.suspend(),
          release: () => partial.release(),
        };
      },
    });
    const tiers = createTiers(createMemoryStore({ maxBytes: 8 * mebibyte }), failing);
    const one = sample('one', 5000);
    await commit(tiers, key, one);
    expect(tiers.peekBody(one.meta.body)).toEqual(one.bytes);
    await expect(
      commit(tiers, 'http://a.test/large', sample('large', 2_000_000)),
    ).rejects.toMatchObject({
      code: 'storage_failed',
    });
  });
});
