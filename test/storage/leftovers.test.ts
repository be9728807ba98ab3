import { createHash } from 'node:crypto';
import { cp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { ByteRange } from '../../src/core/body.ts';
import { RangeSet } from '../../src/policy/byte-range.ts';
import { createDiskStore, type SweptStore } from '../../src/storage/engines/disk.ts';
import type { PartialBody, PartialIdentity, Store } from '../../src/storage/store.ts';
import { commit, type Sample, sample, stored } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const mebibyte = 1024 * 1024;
const maxBytes = 32 * mebibyte;
const size = 5 * mebibyte;
const day = 24 * 60 * 60 * 1000;
const key = 'http://a.test/big';
const one = sample('one', size);

function identityOf({ meta }: Sample, changes: Partial<PartialIdentity> = {}): PartialIdentity {
  const { body: _, ...head } = meta;
  return { key, etag: '"one"', head, ...changes };
}

const identity = identityOf(one);

async function write(partial: PartialBody, { first, last }: ByteRange): Promise<void> {
  const step = 100_000;
  for (let at = first; at <= last; at += step) {
    const flows = partial.write(at, one.bytes.subarray(at, Math.min(at + step, last + 1)));
    if (!flows) await partial.drained();
  }
}

/** A directory in which a store was closed with these bytes of the body in it. */
async function left(
  ranges: readonly ByteRange[] = [
    { first: 0, last: 2 * mebibyte - 1 },
    { first: 3 * mebibyte, last: 4 * mebibyte - 1 },
  ],
  options: { identity?: PartialIdentity; now?: () => number } = {},
): Promise<string> {
  const dir = await temporaryDirectory();
  const store = await createDiskStore({ dir, maxBytes, ...(options.now && { now: options.now }) });
  const partial = await store.begin(size, options.identity ?? identity);
  for (const range of ranges) await write(partial, range);
  await store.close();
  return dir;
}

/** What the partial body says of what it took up. */
async function checked(partial: PartialBody): Promise<{ good: ByteRange[]; bad: ByteRange[] }> {
  const result: { good: ByteRange[]; bad: ByteRange[] } = { good: [], bad: [] };
  await partial.resumed?.check((piece, intact) => result[intact ? 'good' : 'bad'].push(piece));
  return result;
}

/** Writes what is missing and commits; how many bytes were missing. */
async function complete(store: Store, partial: PartialBody): Promise<number> {
  const there = new RangeSet();
  for (const piece of (await checked(partial)).good) there.add(piece);
  const missing = there.missing({ first: 0, last: size - 1 });
  for (const gap of missing) await write(partial, gap);
  await partial.commit(key, one.meta);
  expect((await stored(store, one.meta))?.equals(one.bytes)).toBe(true);
  return size - there.bytes;
}

async function files(dir: string): Promise<string[]> {
  return readdir(join(dir, 'resumable'));
}

async function nothingLeft(dir: string, store: SweptStore): Promise<void> {
  await store.swept;
  expect(await store.leftovers(key)).toEqual([]);
  expect(store.stats().partialBytes).toBe(0);
  await store.close();
  expect(await files(dir)).toEqual([]);
  const again = await createDiskStore({ dir, maxBytes });
  expect(await again.leftovers(key)).toEqual([]);
  await again.close();
}

describe('a body that was not whole when the store was closed', () => {
  test('is taken up, and only what is missing has to be written', async () => {
    const dir = await left();
    const store = await createDiskStore({ dir, maxBytes });
    expect(await store.leftovers(key)).toEqual([
      {
        ...identity,
        size,
        missing: [
          { first: 2 * mebibyte, last: 3 * mebibyte - 1 },
          { first: 4 * mebibyte, last: size - 1 },
        ],
      },
    ]);
    expect(store.stats().partialBytes).toBeGreaterThanOrEqual(3 * mebibyte);
    expect(store.stats().partialBytes).toBeLessThan(3.1 * mebibyte);
    const partial = await store.begin(size, identity);
    expect(await store.leftovers(key)).toEqual([]);
    expect(store.stats().partialBytes).toBeGreaterThanOrEqual(size);
    expect(await complete(store, partial)).toBe(2 * mebibyte);
    await nothingLeft(dir, store);
  });

  test('is known again by the hash of its beginning, up to the first byte that is damaged', async () => {
    for (const damaged of [undefined, 2.5 * mebibyte]) {
      const dir = await temporaryDirectory();
      const store = await createDiskStore({ dir, maxBytes });
      const partial = await store.begin(size, identity);
      const hash = createHash('sha256');
      let position = 0;
      partial.provenBy?.({
        get position() {
          return position;
        },
        prefix: () => ({ bytes: position, sha256: hash.copy().digest('hex') }),
      });
      for (let at = 0; at < 4 * mebibyte; at += mebibyte / 4) {
        const chunk = one.bytes.subarray(at, at + mebibyte / 4);
        hash.update(chunk);
        position += chunk.length;
        if (!partial.write(at, chunk)) await partial.drained();
      }
      await store.close();
      const [name] = await files(dir);
      if (damaged) await overwrite(join(dir, 'resumable', name as string), damaged);
      const again = await createDiskStore({ dir, maxBytes });
      const [leftover] = await again.leftovers(key);
      expect(leftover?.missing).toEqual([{ first: 4 * mebibyte, last: size - 1 }]);
      const taken = await again.begin(size, identity);
      const missing = await complete(again, taken);
      if (damaged) expect(missing).toBeGreaterThanOrEqual(size - damaged);
      expect(missing).toBeLessThanOrEqual(damaged ? size - mebibyte : mebibyte);
      await nothingLeft(dir, again);
    }
  });

  test('can be read where it was checked', async () => {
    const dir = await left();
    const store = await createDiskStore({ dir, maxBytes });
    const partial = await store.begin(size, identity);
    const target = Buffer.alloc(1000);
    await partial.resumed?.check(() => undefined);
    expect(await partial.read(3 * mebibyte + 5, target)).toBe(1000);
    expect(target.equals(one.bytes.subarray(3 * mebibyte + 5, 3 * mebibyte + 1005))).toBe(true);
    await partial.discard();
    await nothingLeft(dir, store);
  });

  test('is not committed before all of it was checked', async () => {
    const dir = await left([{ first: 0, last: size - 1 }]);
    const store = await createDiskStore({ dir, maxBytes });
    const partial = await store.begin(size, identity);
    await expect(partial.commit(key, one.meta)).rejects.toThrow('not checked');
    expect(await complete(store, partial)).toBe(0);
    await store.close();
  });

  test('may break off and be taken up any number of times, in one run too', async () => {
    const dir = await left([{ first: 4 * mebibyte, last: size - 1 }]);
    const store = await createDiskStore({ dir, maxBytes });
    for (let part = 0; part < 3; part++) {
      const partial = await store.begin(size, identity);
      if (part < 2) await checked(partial);
      await write(partial, { first: part * mebibyte, last: (part + 1) * mebibyte - 1 });
      await partial.suspend();
    }
    const partial = await store.begin(size, identity);
    expect(await complete(store, partial)).toBe(mebibyte);
    await nothingLeft(dir, store);
  });

  test('is dropped when it has become another one', async () => {
    for (const [length, changes] of [
      [size, { etag: '"two"' }],
      [size + 1, {}],
    ] as const) {
      const dir = await left();
      const store = await createDiskStore({ dir, maxBytes });
      const partial = await store.begin(length, { ...identity, ...changes });
      expect(partial.resumed).toBeUndefined();
      await partial.discard();
      await nothingLeft(dir, store);
    }
  });

  test('goes on under a known digest whatever the entity tag, and not under another digest', async () => {
    const digest = { algorithm: 'sha256', hex: 'ab'.repeat(32) } as const;
    const dir = await left(undefined, { identity: { ...identity, digest } });
    const store = await createDiskStore({ dir, maxBytes });
    const again = await store.begin(size, { ...identity, etag: '"two"', digest });
    expect(again.resumed).toBeDefined();
    await again.suspend();
    const other = { ...digest, hex: 'cd'.repeat(32) };
    const changed = await store.begin(size, { ...identity, digest: other });
    expect(changed.resumed).toBeUndefined();
    await changed.discard();
    await nothingLeft(dir, store);
  });

  test('stays when another variant of its key is fetched', async () => {
    const french = { ...identity.head, vary: [['accept-language', 'fr']] } as const;
    const dir = await left();
    const store = await createDiskStore({ dir, maxBytes });
    const partial = await store.begin(size, { ...identity, etag: '"two"', head: french });
    expect(partial.resumed).toBeUndefined();
    await partial.discard();
    expect(await store.leftovers(key)).toHaveLength(1);
    await store.close();
  });

  test.each([
    ['a byte is another one', (path: string) => overwrite(path, 700_000)],
    ['the file is cut off', (path: string) => truncate(path, 3.5 * mebibyte)],
    ['the file is empty', (path: string) => truncate(path, 0)],
  ])('is checked piece by piece: when %s, that piece is missing', async (_what, damage) => {
    const dir = await left();
    const [name] = await files(dir);
    await damage(join(dir, 'resumable', name as string));
    const store = await createDiskStore({ dir, maxBytes });
    const partial = await store.begin(size, identity);
    const there = await complete(store, partial);
    expect(there).toBeGreaterThan(2 * mebibyte);
    await nothingLeft(dir, store);
  });

  test('is gone with its file', async () => {
    const dir = await left();
    const [name] = await files(dir);
    const store = await createDiskStore({ dir, maxBytes });
    await rm(join(dir, 'resumable', name as string));
    const partial = await store.begin(size, identity);
    expect(partial.resumed).toBeUndefined();
    await partial.discard();
    await nothingLeft(dir, store);
    const gone = await left();
    await rm(join(gone, 'resumable'), { recursive: true });
    await nothingLeft(gone, await createDiskStore({ dir: gone, maxBytes }));
  });

  test('is dropped after a day', async () => {
    let now = 1_700_000_000_000;
    const dir = await left(undefined, { now: () => now });
    now += day;
    const store = await createDiskStore({ dir, maxBytes, now: () => now });
    await store.swept;
    expect(await store.leftovers(key)).toHaveLength(1);
    now += 1;
    await nothingLeft(dir, store);
  });

  test.each([{ key }, { prefix: 'http://a.test/' }, { mount: '/m' }])(
    'is forgotten with its key: %j',
    async (selector) => {
      const head = { ...identity.head, mount: '/m' };
      const dir = await left(undefined, { identity: { ...identity, head } });
      const store = await createDiskStore({ dir, maxBytes });
      await store.purge(selector);
      await nothingLeft(dir, store);
    },
  );

  test('is not taken up when its key was forgotten while it was arriving', async () => {
    const dir = await left();
    const store = await createDiskStore({ dir, maxBytes });
    const partial = await store.begin(size, identity);
    await store.delete(key);
    await checked(partial);
    await write(partial, { first: 2 * mebibyte, last: 3 * mebibyte - 1 });
    await partial.suspend();
    await nothingLeft(dir, store);
  });

  test('goes before anything that is whole', async () => {
    const dir = await left();
    const store = await createDiskStore({ dir, maxBytes: 8 * mebibyte });
    const whole = sample('whole', 3 * mebibyte);
    await commit(store, 'http://a.test/whole', whole);
    await commit(store, 'http://a.test/more', sample('more', 3 * mebibyte));
    expect(store.stats().evictions).toBe(0);
    expect(await stored(store, whole.meta)).toBeDefined();
    await nothingLeft(dir, store);
  });

  test('whose space is gone meanwhile stays for another time', async () => {
    const dir = await left();
    const store = await createDiskStore({ dir, maxBytes: 6 * mebibyte });
    const other = await store.begin(2 * mebibyte);
    await expect(store.begin(size, identity)).rejects.toMatchObject({ code: 'storage_full' });
    await other.discard();
    const partial = await store.begin(size, identity);
    expect(await complete(store, partial)).toBe(2 * mebibyte);
    await store.close();
  });

  test('of which too little has come is not kept, nor what has no identity', async () => {
    const dir = await left([{ first: 0, last: 900_000 }]);
    const store = await createDiskStore({ dir, maxBytes });
    const nameless = await store.begin(size);
    await write(nameless, { first: 0, last: 2 * mebibyte });
    await nameless.suspend();
    await nothingLeft(dir, store);
  });

  test('does not outlive a discard, nor a file that nobody knows the next start', async () => {
    const dir = await left();
    await writeFile(join(dir, 'resumable', 'stray'), 'bytes');
    const store = await createDiskStore({ dir, maxBytes });
    const partial = await store.begin(size, identity);
    await partial.discard();
    await nothingLeft(dir, store);
  });

  test('is forgotten, and the operator told, when what was noted of it cannot be read', async () => {
    const dir = await left();
    for (const change of ["pieces = '[5,2,1]'", "identity = '{'"]) {
      const database = new DatabaseSync(join(dir, 'millrace.db'));
      database.exec(`UPDATE leftovers SET ${change}`);
      database.close();
    }
    const reasons: string[] = [];
    const onTrouble = (reason: string) => reasons.push(reason);
    const store = await createDiskStore({ dir, maxBytes, onTrouble });
    await nothingLeft(dir, store);
    expect(reasons).toHaveLength(1);
  });
});

test('what was noted is there, and no more than that is claimed', async () => {
  const dir = await temporaryDirectory();
  const store = await createDiskStore({ dir, maxBytes });
  const partial = await store.begin(size, identity);
  await write(partial, { first: mebibyte, last: 4 * mebibyte - 1 });
  await partial.drained();
  // What a process that is killed now leaves behind: the database's log, and the file.
  const copy = await temporaryDirectory();
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    await copyStore(dir, copy);
    const other = await createDiskStore({ dir: copy, maxBytes });
    const [leftover] = await other.leftovers(key);
    if (leftover) {
      const again = await other.begin(size, identity);
      const { good, bad } = await checked(again);
      expect(bad).toEqual([]);
      expect(good[0]?.first).toBe(mebibyte);
    }
    await other.close();
    if (leftover) break;
  }
  await store.close();
});

async function copyStore(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true });
}

async function overwrite(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const file = await open(path, 'r+');
  await file.write(Buffer.from([(bytes[at] as number) ^ 1]), 0, 1, at);
  await file.close();
}
