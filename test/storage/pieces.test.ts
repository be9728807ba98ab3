import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BodyReader, ByteRange } from '../../src/core/body.ts';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import type { MemoryStore } from '../../src/storage/memory-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { createTiers } from '../../src/storage/tiers.ts';
import { commit, drain, type Sample, sample } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

const kibibyte = 1024;
const pieceBytes = 64 * kibibyte;
const key = 'http://a.test/large';

/** Bodies over 128 KiB are large; 8 pieces fit into the half of the tier that is theirs. */
async function open({ maxBytes = 1024 * kibibyte + 3_200 } = {}) {
  const dir = await temporaryDirectory();
  const disk = await createDiskStore({ dir, maxBytes: 64 * 1024 * kibibyte, inlineBytes: 1_000 });
  onTestFinished(() => disk.close());
  const memory = createMemoryStore({ maxBytes, pieceBytes });
  return { dir, memory, tiers: createTiers(memory, disk) };
}

async function read(store: Store, { meta }: Sample, range?: ByteRange): Promise<Buffer> {
  await store.get(key);
  const reader = await store.openBody(meta.body, range);
  return reader ? drain(reader) : Buffer.alloc(0);
}

/** How many chunks came from memory, and how many did not. */
const lookups = ({ pieceLookups: { hits, misses } }: MemoryStore) => [hits, misses];

const nothing = Buffer.alloc(0);
const wholePieces = 5;
const large = sample('large', wholePieces * pieceBytes + 1_000);

describe('pieces of large bodies', () => {
  test('one that is read once is not in memory; read twice it is, and comes from there', async () => {
    const { memory, tiers } = await open();
    await commit(tiers, key, large);
    const before = memory.stats().bytes;
    expect((await read(tiers, large)).equals(large.bytes)).toBe(true);
    expect(memory.stats().bytes).toBe(before);
    expect(tiers.peekPart(large.meta.body, { first: 0, last: 9 })).toBeUndefined();
    expect((await read(tiers, large)).equals(large.bytes)).toBe(true);
    expect(memory.stats().bytes).toBeGreaterThan(before + large.bytes.length);
    const [hits = 0, misses] = lookups(memory);
    expect((await read(tiers, large)).equals(large.bytes)).toBe(true);
    expect(lookups(memory)).toEqual([hits + wholePieces + 1, misses]);
  });

  test('one that is read once in many ranges is not in memory', async () => {
    const { memory, tiers } = await open();
    await commit(tiers, key, large);
    const before = memory.stats().bytes;
    const step = 10_000;
    for (let first = 0; first < large.bytes.length; first += step) {
      const last = Math.min(first + step, large.bytes.length) - 1;
      const part = await read(tiers, large, { first, last });
      expect(part.equals(large.bytes.subarray(first, last + 1))).toBe(true);
    }
    expect(memory.stats().bytes).toBe(before);
  });

  test('a range over two of them is given without a copy', async () => {
    const { tiers } = await open();
    await commit(tiers, key, large);
    for (let i = 0; i < 2; i += 1) await read(tiers, large);
    const range = { first: pieceBytes - 10, last: pieceBytes + 19 };
    const chunks = tiers.peekPart(large.meta.body, range);
    expect(chunks?.map(({ length }) => length)).toEqual([10, 20]);
    expect(Buffer.concat(chunks ?? [])).toEqual(large.bytes.subarray(range.first, range.last + 1));
    const again = tiers.peekPart(large.meta.body, { first: 0, last: 0 });
    expect(again?.[0]?.buffer).toBe(chunks?.[0]?.buffer);
  });

  test('what comes before the body is given by itself where the body takes no copy', async () => {
    const { tiers } = await open();
    await commit(tiers, key, large);
    for (let i = 0; i < 2; i += 1) await read(tiers, large);
    const lead = Buffer.from('head');
    const reader = tiers.peekReader(large.meta.body, undefined, lead);
    expect(reader?.nextNow?.()).toBe(lead);
    expect(reader?.nextNow?.()).toHaveLength(pieceBytes);
    const rest = reader && (await drain(reader));
    expect(rest?.equals(large.bytes.subarray(pieceBytes))).toBe(true);
  });

  test('many who read the same one at once bring it into memory once', async () => {
    const { memory, tiers } = await open();
    await commit(tiers, key, large);
    const before = memory.stats().bytes;
    const first = { first: 0, last: pieceBytes - 1 };
    memory.pieces(large.meta.body)?.noteRead(0, pieceBytes, false);
    const readers = await Promise.all(
      Array.from({ length: 6 }, () => tiers.openBody(large.meta.body, first)),
    );
    // The file was not read before: all of them wait for the file threads.
    const chunks = readers.map((reader) => reader?.next());
    expect(memory.stats().partialBytes).toBeGreaterThan(pieceBytes);
    expect(memory.stats().partialBytes).toBeLessThan(2 * pieceBytes);
    for (const chunk of chunks) {
      expect(Buffer.compare((await chunk) ?? nothing, large.bytes.subarray(0, pieceBytes))).toBe(0);
    }
    for (const reader of readers) reader?.close();
    expect(memory.stats().partialBytes).toBe(0);
    expect(memory.stats().bytes - before).toBeLessThan(2 * pieceBytes);
    expect(tiers.peekPart(large.meta.body, first)).toHaveLength(1);
  });

  test('large bodies leave small ones their half, however often they are read', async () => {
    const { memory, tiers } = await open();
    const small = Array.from({ length: 12 }, (_, i) => sample(`small ${i}`, 30 * kibibyte));
    for (const [i, one] of small.entries()) await commit(tiers, `http://a.test/${i}`, one);
    const before = memory.stats().bytes;
    const huge = sample('huge', 40 * pieceBytes);
    await commit(tiers, key, huge);
    for (let i = 0; i < 5; i += 1) expect((await read(tiers, huge)).equals(huge.bytes)).toBe(true);
    expect(memory.stats().bytes - before).toBeGreaterThan(7 * pieceBytes);
    expect(memory.stats().bytes - before).toBeLessThan(9 * pieceBytes);
    for (const one of small) expect(tiers.peekBody(one.meta.body)).toEqual(one.bytes);
  });

  test('where they do not all fit, those that are there stay, and go for what is read oftener', async () => {
    const { memory, tiers } = await open();
    const huge = sample('huge', 12 * pieceBytes);
    await commit(tiers, key, huge);
    for (let i = 0; i < 6; i += 1) await read(tiers, huge);
    const [hits = 0] = lookups(memory);
    await read(tiers, huge);
    expect((lookups(memory)[0] ?? 0) - hits).toBe(8);
    await commit(tiers, 'http://a.test/other', large);
    for (let i = 0; i < 40; i += 1) {
      await tiers.get('http://a.test/other');
      await read(tiers, large);
    }
    expect(tiers.peekPart(large.meta.body, { first: 0, last: 5 * pieceBytes })).toHaveLength(6);
  });

  test('a body that is forgotten takes its pieces along; who reads one keeps its bytes', async () => {
    const { memory, tiers } = await open();
    await commit(tiers, key, large);
    for (let i = 0; i < 2; i += 1) await read(tiers, large);
    const reader = tiers.peekReader(large.meta.body) as BodyReader;
    const first = reader.nextNow?.();
    expect(await tiers.purge({ prefix: 'http://a.test/' })).toBe(1);
    expect(memory.stats()).toMatchObject({ bytes: 0, entries: 0 });
    expect(tiers.peekPart(large.meta.body, { first: 0, last: 9 })).toBeUndefined();
    expect(await tiers.openBody(large.meta.body)).toBeUndefined();
    expect(first && Buffer.from(first).equals(large.bytes.subarray(0, pieceBytes))).toBe(true);
    const rest = await drain(reader);
    expect(rest.equals(large.bytes.subarray(pieceBytes))).toBe(true);
    expect(memory.stats()).toMatchObject({ bytes: 0, partialBytes: 0 });
  });

  test('a body that is evicted from disk takes its pieces along', async () => {
    const dir = await temporaryDirectory();
    const disk = await createDiskStore({ dir, maxBytes: 1024 * kibibyte });
    onTestFinished(() => disk.close());
    const memory = createMemoryStore({ maxBytes: 1024 * kibibyte, pieceBytes });
    const tiers = createTiers(memory, disk);
    await commit(tiers, key, large);
    for (let i = 0; i < 2; i += 1) await read(tiers, large);
    await commit(tiers, 'http://a.test/next', sample('next', 900 * kibibyte));
    expect(tiers.peekPart(large.meta.body, { first: 0, last: 9 })).toBeUndefined();
    expect(memory.stats().bytes).toBeLessThan(10 * kibibyte);
  });

  test('a body whose file turns out to be short takes its pieces along', async () => {
    const { dir, memory, tiers } = await open();
    const huge = sample('huge', 40 * pieceBytes);
    await commit(tiers, key, huge);
    for (let i = 0; i < 3; i += 1) await read(tiers, huge);
    expect(memory.stats().bytes).toBeGreaterThan(7 * pieceBytes);
    for (const file of await readdir(dir, { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name);
      if (file.isFile() && (await stat(path)).size === huge.bytes.length) await truncate(path, 10);
    }
    await expect(read(tiers, huge)).rejects.toMatchObject({ code: 'stored_body_missing' });
    expect(tiers.peekPart(huge.meta.body, { first: 0, last: 9 })).toBeUndefined();
    expect(memory.stats().bytes).toBeLessThan(10 * kibibyte);
    expect(memory.stats().partialBytes).toBe(0);
    expect(await tiers.openBody(huge.meta.body)).toBeUndefined();
  });

  test('a bound that sinks takes pieces to their share of it', async () => {
    const { memory, tiers } = await open();
    await commit(tiers, key, large);
    for (let i = 0; i < 2; i += 1) await read(tiers, large);
    memory.setBound(300 * kibibyte);
    expect(memory.bound).toBe(300 * kibibyte);
    expect(memory.stats().bytes).toBeLessThanOrEqual(150 * kibibyte + 2_000);
    expect(memory.stats().bytes).toBeGreaterThan(2 * pieceBytes);
    for (let i = 0; i < 3; i += 1) {
      expect((await read(tiers, large)).equals(large.bytes)).toBe(true);
      expect(memory.stats().bytes).toBeLessThanOrEqual(150 * kibibyte + 2_000);
    }
  });

  test('the bytes are right and the bound holds, whatever is read, forgotten and stored', async () => {
    const bodies = [large, sample('b', 9 * pieceBytes - 1), sample('c', 3 * pieceBytes)];
    const operation = fc.record({
      kind: fc.constantFrom('whole', 'whole', 'part', 'part', 'begin', 'step', 'forget', 'bound'),
      which: fc.integer({ min: 0, max: 2 }),
      from: fc.nat(),
      length: fc.nat(),
    });
    const { memory, tiers } = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const readers: { reader: BodyReader; rest: Uint8Array }[] = [];
        memory.setBound(2048 * kibibyte);
        for (const { kind, which, from, length } of operations) {
          const { bytes, meta } = bodies[which] ?? large;
          const name = `http://a.test/${which}`;
          if ((await tiers.get(name)).length === 0) {
            await commit(tiers, name, { bytes, meta }, bytes.length, 200_000);
          }
          const first = kind === 'part' ? from % bytes.length : 0;
          const last =
            kind === 'part'
              ? Math.min(bytes.length - 1, first + (length % 200_000))
              : bytes.length - 1;
          const expected = bytes.subarray(first, last + 1);
          switch (kind) {
            case 'whole':
            case 'part': {
              const chunks = tiers.peekPart(meta.body, { first, last });
              if (chunks) expect(Buffer.compare(Buffer.concat(chunks), expected)).toBe(0);
              const reader =
                tiers.peekReader(meta.body, { first, last }) ??
                (await tiers.openBody(meta.body, { first, last }));
              expect(reader && (await drain(reader)).equals(expected)).toBe(true);
              break;
            }
            case 'begin': {
              const reader = await tiers.openBody(meta.body);
              if (reader) readers.push({ reader, rest: bytes });
              break;
            }
            case 'forget':
              await tiers.delete(name);
              break;
            case 'bound':
              memory.setBound((200 + (length % 900)) * kibibyte);
              break;
            case 'step':
              break;
          }
          for (const one of readers) {
            const chunk = await one.reader.next();
            const wanted = one.rest.subarray(0, chunk?.length ?? 0);
            if (chunk) expect(Buffer.compare(chunk, wanted)).toBe(0);
            else expect(one.rest).toHaveLength(0);
            one.rest = one.rest.subarray(wanted.length);
          }
          expect(memory.stats().bytes).toBeLessThanOrEqual(memory.bound);
        }
        for (const { reader } of readers) reader.close();
      }),
      { numRuns: 40 },
    );
    await tiers.purge({ prefix: '' });
    expect(memory.stats()).toMatchObject({ bytes: 0, entries: 0, partialBytes: 0 });
  });
});
