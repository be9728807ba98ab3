import { describe, expect, onTestFinished, test } from 'vitest';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import { createTiers, type TieredStore } from '../../src/storage/tiers.ts';
import { commit, sample } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const mebibyte = 1024 * 1024;
const key = 'http://a.test/x';

async function openTiers(): Promise<TieredStore> {
  const disk = await createDiskStore({
    dir: await temporaryDirectory(),
    maxBytes: 32 * mebibyte,
  });
  const tiers = createTiers(createMemoryStore({ maxBytes: 8 * mebibyte }), disk);
  onTestFinished(() => tiers.close());
  return tiers;
}

const stores: [string, () => Promise<TieredStore> | TieredStore][] = [
  ['the memory store', () => createMemoryStore({ maxBytes: 8 * mebibyte })],
  ['the tiers', openTiers],
];

describe.each(stores)('what is held in %s', (_name, open) => {
  const one = sample('one', 10_000, { mount: '/m' });

  async function held() {
    const store = await open();
    await commit(store, key, one);
    return { store, records: store.hold(key), body: store.holdBody(one.meta.body) };
  }

  test('is what peek gives', async () => {
    const { store, records, body } = await held();
    expect(records?.value).toBe(store.peek(key));
    expect(body?.value).toEqual(one.bytes);
    expect(body?.value).toBe(store.peekBody(one.meta.body));
    expect(store.hold('http://a.test/other')).toBeUndefined();
    expect(store.holdBody({ ...one.meta.body, size: 9_999 })).toBeUndefined();
  });

  test.each<[string, (store: TieredStore) => Promise<unknown>]>([
    ['deleted', (store) => store.delete(key)],
    ['purged', (store) => store.purge({ mount: '/m' })],
    ['replaced by another response', (store) => commit(store, key, sample('two', 500))],
    [
      'evicted',
      async (store) => {
        for (let i = 0; i < 20; i += 1) {
          await commit(store, `http://a.test/${i}`, sample(`${i}`, mebibyte / 2));
        }
      },
    ],
  ])('is gone at once when it is %s', async (_what, change) => {
    const { store, records, body } = await held();
    await change(store);
    expect(records?.value).toBeUndefined();
    expect(body?.value).toBeUndefined();
  });

  test('is gone as records, and there as a body, when it is validated', async () => {
    const { store, records, body } = await held();
    await store.put(key, { ...one.meta, responseTime: one.meta.responseTime + 1000 });
    expect(records?.value).toBeUndefined();
    expect(body?.value).toEqual(one.bytes);
    expect(store.hold(key)?.value).toHaveLength(1);
  });

  test('stays when who uses it peeks at it once in a turn, however much comes in', async () => {
    const { store, records, body } = await held();
    const unused = sample('unused', 10_000);
    await commit(store, 'http://a.test/unused', unused);
    const other = store.holdBody(unused.meta.body);
    let { turn } = store;
    let peeks = 0;
    for (let i = 0; i < 300; i += 1) {
      await commit(store, `http://a.test/${i}`, sample(`${i}`, 50_000));
      if (store.turn === turn) continue;
      ({ turn } = store);
      peeks += 1;
      store.peek(key);
      store.peekBody(one.meta.body);
    }
    expect(peeks).toBeLessThan(150);
    expect([records?.value?.length, body?.value?.length]).toEqual([1, 10_000]);
    expect(other?.value).toBeUndefined();
  });
});

test('a use of what is held in the tiers counts as a look-up that found it', async () => {
  const tiers = await openTiers();
  const one = sample('one', 10_000);
  await commit(tiers, key, one);
  const hits = () =>
    tiers
      .stats()
      .lookups?.slice(0, 2)
      .map((counter) => counter.hits);
  const before = hits();
  tiers.countHeld(true);
  tiers.countHeld(false);
  expect(hits()).toEqual([(before?.[0] ?? 0) + 2, (before?.[1] ?? 0) + 1]);
});
