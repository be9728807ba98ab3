import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { LargeSlabs } from '../../src/upstream/large-slabs.ts';
import { ReadBuffer } from '../../src/upstream/read-buffer.ts';

it('gives every byte once and never touches what it gave, however long reads are and what comes back', () => {
  const read = fc.record({
    share: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    // How many reads later it comes back; 9: never.
    back: fc.integer({ min: 0, max: 9 }),
    // The rest of a read is of heads, and is done with when all that came is parsed.
    body: fc.double({ min: 0, max: 1, noNaN: true }),
    parsed: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(read, { maxLength: 60 }), (reads) => {
      const buffer = new ReadBuffer(new LargeSlabs());
      const given: { taken: Buffer; index: number; until: number }[] = [];
      reads.forEach(({ share, back, body, parsed }, index) => {
        const target = buffer.target();
        expect(target.length).toBeGreaterThan(0);
        // Asked for again before the bytes are there, and with others coming back meanwhile.
        for (const old of given.filter(({ until }) => until === index)) buffer.giveBack(old.taken);
        if (parsed) buffer.parsed();
        const length = Math.max(1, Math.round(share * target.length));
        target.fill(index, 0, length);
        const taken = buffer.take(length);
        expect(taken.length).toBe(length);
        expect(taken.byteOffset).toBe(target.byteOffset);
        const bytes = taken.subarray(taken.length - Math.round(body * taken.length));
        buffer.lend(bytes);
        given.push({
          taken: bytes,
          index,
          until: back === 9 ? Number.POSITIVE_INFINITY : index + 1 + back,
        });
        for (const { taken: kept, index: byte, until } of given) {
          if (until > index) expect(kept.equals(Buffer.alloc(kept.length, byte))).toBe(true);
        }
      });
    }),
    { numRuns: 60 },
  );
});

it('reads into the same memory again and again, when all comes back', () => {
  const buffer = new ReadBuffer();
  const memory = new Set<ArrayBufferLike>();
  let waiting: Buffer | undefined;
  for (let i = 0; i < 1_000; i++) {
    const taken = buffer.take(Math.min(buffer.target().length, 50_000));
    buffer.lend(taken);
    memory.add(taken.buffer);
    // As with a socket: the next read has its memory before the bytes of this one are used.
    buffer.target();
    if (waiting) buffer.giveBack(waiting);
    waiting = taken;
  }
  expect(memory.size).toBeLessThan(8);
});

it('reads into the same memory, also where several come back at once', () => {
  const buffer = new ReadBuffer();
  while (buffer.take(buffer.target().length).length < 256 * 1024);
  const memory = new Set<ArrayBufferLike>();
  for (let i = 0; i < 100; i++) {
    const taken = [0, 1, 2].map(() => buffer.take(buffer.target().length));
    for (const chunk of taken) {
      buffer.lend(chunk);
      memory.add(chunk.buffer);
      buffer.giveBack(chunk);
    }
  }
  expect(memory.size).toBeLessThanOrEqual(4);
});

it('reads into the same memory, also where heads came between the bodies', () => {
  const buffer = new ReadBuffer();
  const memory = new Set<ArrayBufferLike>();
  for (let i = 0; i < 1_000; i++) {
    const taken = buffer.take(Math.min(buffer.target().length, 10_000));
    buffer.target();
    memory.add(taken.buffer);
    const body = taken.subarray(300);
    buffer.lend(body);
    buffer.parsed();
    buffer.giveBack(body);
  }
  expect(memory.size).toBeLessThan(4);
});

it('does not read over a head that is not parsed yet', () => {
  const buffer = new ReadBuffer();
  const head = buffer.take(buffer.target().length);
  head.fill(1);
  for (let i = 0; i < 10; i++) {
    const body = buffer.take(buffer.target().length).fill(2);
    buffer.lend(body);
    buffer.giveBack(body);
  }
  expect(head.every((byte) => byte === 1)).toBe(true);
});

it('grows while reads fill it and shrinks when they use little of it', () => {
  const buffer = new ReadBuffer();
  const read = (length = buffer.target().length) => buffer.take(length).buffer.byteLength / 1024;
  expect([read(), read(), read(), read()]).toEqual([16, 64, 256, 256]);
  const small = Array.from({ length: 24 }, () => read(1));
  const sizes = [256, 64, 16];
  expect(small).toEqual(sizes.flatMap((size) => Array.from({ length: 8 }, () => size)));
});

it('allocates what was read, and little more', () => {
  const buffer = new ReadBuffer();
  const memory = new Set<ArrayBufferLike>();
  let bytes = 0;
  for (let i = 0; i < 1_000; i++) {
    const length = Math.min(buffer.target().length, 20_000);
    memory.add(buffer.take(length).buffer);
    bytes += length;
  }
  const allocated = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(allocated).toBeLessThan(1.2 * bytes);
});

it('holds no memory whose bytes were kept and are gone since', async () => {
  const buffer = new ReadBuffer();
  while (buffer.take(buffer.target().length).length < 256 * 1024);
  const kept = Array.from({ length: 6 }, () => buffer.take(buffer.target().length));
  const memory = kept.map(({ buffer }) => new WeakRef(buffer));
  kept.splice(1);
  await setImmediate();
  collectGarbage();
  expect(memory.map((one) => one.deref() !== undefined)).toEqual([
    true,
    false,
    false,
    false,
    false,
    // Read into last.
    true,
  ]);
  expect(kept).toHaveLength(1);
});

const mebibyte = 1024 * 1024;

function fastReads(buffer: ReadBuffer, count: number): Buffer[] {
  return Array.from({ length: count }, () => buffer.take(buffer.target().length));
}

it('reads 1 MiB at a time where reads bring all that they can, into memory that comes back', () => {
  const buffer = new ReadBuffer(new LargeSlabs());
  expect(fastReads(buffer, 4).map(({ length }) => length / 1024)).toEqual([16, 64, 256, 1024]);
  const memory = new Set<ArrayBufferLike>();
  for (let i = 0; i < 50; i++) {
    const taken = fastReads(buffer, 2);
    for (const chunk of taken) {
      expect(chunk.length).toBe(mebibyte);
      memory.add(chunk.buffer);
      buffer.giveBack(chunk);
    }
  }
  expect(memory.size).toBeLessThanOrEqual(3);
});

it('has no large slab where each read brings little, however full the slabs are', () => {
  const buffer = new ReadBuffer(new LargeSlabs());
  for (let i = 0; i < 200; i++) {
    const target = buffer.target();
    expect(target.buffer.byteLength).toBeLessThanOrEqual(256 * 1024);
    buffer.take(Math.min(60_000, target.length));
  }
});

it('holds 6 MiB of large slabs at the most over all connections, and reads on in smaller ones', () => {
  const slabs = new LargeSlabs();
  const memory = [new ReadBuffer(slabs), new ReadBuffer(slabs)].flatMap((one) =>
    fastReads(one, 12),
  );
  expect(memory.filter(isLarge).length).toBe(6);
  expect(memory.at(-1)?.buffer.byteLength).toBe(256 * 1024);
});

it('reads into smaller slabs while more than two connections are fast', () => {
  const slabs = new LargeSlabs();
  const connections = [0, 1, 2].map(() => new ReadBuffer(slabs));
  const inTurn = (some: readonly ReadBuffer[], turns: number) =>
    Array.from({ length: turns }, () =>
      some.flatMap((one) => {
        const taken = fastReads(one, 1);
        for (const chunk of taken) one.giveBack(chunk);
        return taken;
      }),
    ).flat();
  inTurn(connections, 8);
  expect(inTurn(connections, 4).filter(isLarge)).toEqual([]);
  inTurn(connections.slice(0, 2), 8);
  expect(inTurn(connections.slice(0, 2), 4).every(isLarge)).toBe(true);
});

it('reads into smaller slabs while many readers share what comes', () => {
  let readers = 200;
  const buffer = new ReadBuffer(new LargeSlabs(() => readers));
  expect(fastReads(buffer, 12).filter(isLarge)).toEqual([]);
  readers = 1;
  expect(fastReads(buffer, 4).filter(isLarge).length).toBe(4);
});

it('has as many large slabs again once those that were kept are garbage', async () => {
  const slabs = new LargeSlabs();
  fastReads(new ReadBuffer(slabs), 12);
  await vi.waitFor(() => {
    collectGarbage();
    expect(fastReads(new ReadBuffer(slabs), 12).filter(isLarge).length).toBe(6);
  });
});

it('leaves what came back of large slabs to whatever connection reads next', () => {
  const slabs = new LargeSlabs();
  const first = new ReadBuffer(slabs);
  const taken = fastReads(first, 9).filter(isLarge);
  expect(taken.length).toBe(6);
  // The socket has the last one for its next read, though it is full.
  for (const chunk of taken) first.giveBack(chunk);
  const others = fastReads(new ReadBuffer(slabs), 12).filter(isLarge);
  const memory = new Set<ArrayBufferLike>(taken.map(({ buffer }) => buffer));
  expect(others.map(({ buffer }) => memory.has(buffer))).toEqual(Array(5).fill(true));
});

function isLarge({ buffer }: Buffer): boolean {
  return buffer.byteLength === mebibyte;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

it('holds no spare memory that a collection can have', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const buffer = new ReadBuffer();
  while (buffer.take(buffer.target().length).length < 256 * 1024);
  const memory = spent(buffer).map((one) => new WeakRef(one));
  await setImmediate();
  // The first may be the end of one that had begun before, and has seen them in use.
  collect();
  collect();
  expect(memory.filter((one) => one.deref() !== undefined).length).toBeLessThanOrEqual(1);
});

/** Memory that was read full and has come back. */
function spent(buffer: ReadBuffer): ArrayBufferLike[] {
  const taken = [0, 1, 2].map(() => buffer.take(buffer.target().length));
  for (const chunk of taken) {
    buffer.lend(chunk);
    buffer.giveBack(chunk);
  }
  return taken.map(({ buffer }) => buffer);
}
