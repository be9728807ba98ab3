import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../src/storage/buffer-pool.ts';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { Backlog, SpareBlocks } from '../../src/storage/engines/disk-backlog.ts';
import { writeVector } from '../../src/storage/engines/file-io.ts';
import { Slots } from '../../src/storage/engines/slots.ts';
import { Extents } from '../../src/storage/extents.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { until } from '../support/until.ts';
import { commit, drain, sample } from './bodies.ts';
import { temporaryDirectory } from './directories.ts';

/** Where a body of 400 bytes is cut, and in which order its pieces come. */
const cuts = fc
  .uniqueArray(fc.integer({ min: 1, max: 399 }), { maxLength: 20 })
  .map((at) => [0, ...at.sort((a, b) => a - b), 400])
  .chain((at) =>
    fc.shuffledSubarray(
      at.slice(0, -1).map((start, i) => ({ start, end: at[i + 1] ?? 400 })),
      { minLength: 1 },
    ),
  );

describe('extents', () => {
  test('know what is there, as a plain set of positions does', () => {
    fc.assert(
      fc.property(cuts, (pieces) => {
        const extents = new Extents();
        const there = new Set<number>();
        for (const { start, end } of pieces) {
          extents.add(start, end);
          for (let i = start; i < end; i++) there.add(i);
        }
        for (let position = 0; position < 401; position++) {
          let end = position;
          while (there.has(end)) end++;
          expect(extents.endFrom(position)).toBe(end);
        }
        expect(extents.isWhole(400)).toBe(there.size === 400);
        for (const { start, end } of pieces) {
          expect(() => extents.add(start, end)).toThrow('written twice');
          expect(() => extents.add(Math.max(0, start - 1), end)).toThrow('written twice');
        }
      }),
    );
  });
});

describe('the backlog', () => {
  test('gives every byte once, in runs without a gap, and reads what still waits', () => {
    const body = generatedBytes('backlog', 0, 400);
    fc.assert(
      fc.property(cuts, fc.array(fc.boolean()), (pieces, writes) => {
        const backlog = new Backlog();
        const medium = Buffer.alloc(400);
        const given = new Set<number>();
        const written = new Set<number>();
        const write = () => {
          const run = backlog.nextRun(400);
          if (!run) return false;
          let at = run[0]?.position ?? 0;
          for (const { position, chunk } of run) {
            expect(position).toBe(at);
            medium.set(chunk, position);
            for (let i = 0; i < chunk.length; i++) written.add(at + i);
            at += chunk.length;
          }
          backlog.remove(run);
          return true;
        };
        for (const [i, { start, end }] of pieces.entries()) {
          backlog.add(start, body.subarray(start, end));
          for (let at = start; at < end; at++) given.add(at);
          if (writes[i]) write();
          const target = Buffer.alloc(400);
          for (let at = 0; at < 400; at += 7) {
            const count = backlog.read(at, target);
            expect(count > 0).toBe(given.has(at) && !written.has(at));
            expect(target.subarray(0, count).equals(body.subarray(at, at + count))).toBe(true);
          }
        }
        while (write());
        expect(backlog.bytes).toBe(0);
        for (const at of given) expect(medium[at]).toBe(body[at]);
      }),
    );
  });

  test('what has no space yet is not written', () => {
    const backlog = new Backlog();
    backlog.add(0, Buffer.alloc(10));
    backlog.add(20, Buffer.alloc(10));
    expect(backlog.nextRun(9)).toBeUndefined();
    const run = backlog.nextRun(29) ?? [];
    expect(run).toHaveLength(1);
    backlog.remove(run);
    expect(backlog.nextRun(29)).toBeUndefined();
    expect(backlog.nextRun(30)).toHaveLength(1);
  });

  test('what was given may change, and what is being written does not', () => {
    const backlog = new Backlog();
    const chunk = Buffer.from('0123456789');
    backlog.add(0, chunk);
    backlog.add(10, chunk);
    chunk.fill('x');
    const run = backlog.nextRun(20) ?? [];
    backlog.add(20, chunk);
    expect(run.map((block) => String(block.chunk))).toEqual(['01234567890123456789']);
    backlog.remove(run);
    expect(backlog.bytes).toBe(10);
    expect(backlog.nextRun(30)?.map((block) => String(block.chunk))).toEqual(['xxxxxxxxxx']);
  });
});

describe('the memory of blocks', () => {
  const blocks = (count: number) =>
    Array.from({ length: count }, () => Buffer.allocUnsafeSlow(256 * 1024));
  const kept = (memory: readonly Buffer[]) => memory.filter(({ length }) => length > 0).length;

  test('is kept while files are written, less of it afterwards, and the rest is freed at once', () => {
    const spare = new SpareBlocks();
    const [one, other] = [new Backlog(spare), new Backlog(spare)];
    const memory = blocks(100);
    for (const block of memory) spare.give(block);
    expect(kept(memory)).toBe(64);
    one.end();
    one.end();
    expect(kept(memory)).toBe(64);
    other.end();
    expect(kept(memory)).toBe(16);
    expect(spare.take()?.length).toBe(256 * 1024);
  });

  test('serves again and again, however much goes through', () => {
    const spare = new SpareBlocks();
    const backlog = new Backlog(spare);
    const used = new Set<ArrayBufferLike>();
    for (let at = 0; at < 64; at++) {
      backlog.add(at * 1024 * 1024, Buffer.alloc(1024 * 1024));
      const run = backlog.nextRun(64 * 1024 * 1024) ?? [];
      for (const { memory } of run) used.add(memory.buffer);
      backlog.remove(run);
    }
    backlog.end();
    // The first ones are smaller.
    expect(used.size).toBeLessThan(10);
  });
});

describe('the buffer pool', () => {
  test('makes a bounded number of large buffers and uses them again', () => {
    const pool = new BufferPool({ chunkBytes: 1000, maxBuffers: 2, spillBytes: 10 });
    const [one, two] = [pool.take(), pool.take()];
    expect([one?.length, two?.length, pool.take().length]).toEqual([1000, 1000, 10]);
    expect(pool.tryTake()).toBeUndefined();
    pool.give(Buffer.alloc(10));
    expect(pool.tryTake()).toBeUndefined();
    pool.give(one as Buffer);
    expect(pool.take()).toBe(one);
    expect(pool.inUse).toBe(2);
  });
});

describe('slots', () => {
  test('no more work than slots goes on, and a failure frees its slot', async () => {
    const slots = new Slots(2);
    let running = 0;
    let most = 0;
    const work = (fails: boolean) => async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => setImmediate(resolve));
      running--;
      if (fails) throw new Error('no');
    };
    const results = await Promise.allSettled([0, 1, 2, 3, 4].map((i) => slots.use(work(i === 1))));
    expect(most).toBe(2);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    await slots.use(work(false));
  });
});

describe('a partial body on disk', () => {
  test('more than 4 MiB that wait to be written pause the source until they are', async () => {
    const gate = Promise.withResolvers<void>();
    const store = await createDiskStore({
      dir: await temporaryDirectory(),
      maxBytes: 64 * 1024 * 1024,
      writeVector: async (fd, chunks, position) => {
        await gate.promise;
        return writeVector(fd, chunks, position);
      },
    });
    const one = sample('one', 6 * 1024 * 1024);
    const partial = await store.begin(one.bytes.length);
    let flows = 0;
    const step = 512 * 1024;
    for (let at = 0; at < one.bytes.length; at += step) {
      if (partial.write(at, one.bytes.subarray(at, at + step))) flows += step;
    }
    expect(flows).toBeLessThan(4 * 1024 * 1024);
    let drained = false;
    void partial.drained().then(() => {
      drained = true;
    });
    const target = Buffer.alloc(10);
    await partial.read(5 * 1024 * 1024, target);
    expect(target.equals(one.bytes.subarray(5 * 1024 * 1024, 5 * 1024 * 1024 + 10))).toBe(true);
    expect(drained).toBe(false);
    gate.resolve();
    await until(() => drained);
    await partial.commit('http://a.test/', one.meta);
    await store.close();
  });

  test('many readers that stop at any moment leave the rest undisturbed', async () => {
    const store = await createDiskStore({
      dir: await temporaryDirectory(),
      maxBytes: 64 * 1024 * 1024,
    });
    const one = sample('one', 5_000_000);
    await commit(store, 'http://a.test/', one);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 80 }),
        async (stops) => {
          const stopping = stops.map(async (chunks) => {
            const reader = await store.openBody(one.meta.body);
            for (let i = 0; i < chunks; i++) await reader?.next();
            const last = reader?.next();
            reader?.close();
            await last;
          });
          const reader = await store.openBody(one.meta.body);
          expect(reader && (await drain(reader)).equals(one.bytes)).toBe(true);
          await Promise.all(stopping);
        },
      ),
      { numRuns: 5 },
    );
    await store.close();
  });
});
