import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReadBuffer } from '../../src/upstream/read-buffer.ts';

it('gives every byte once and never touches what it gave, however long reads are and what comes back', () => {
  const read = fc.record({
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    // How many reads later it comes back; 9: never.
    back: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(read, { maxLength: 60 }), (reads) => {
      const buffer = new ReadBuffer();
      const given: { taken: Buffer; index: number; until: number }[] = [];
      reads.forEach(({ share, back }, index) => {
        const target = buffer.target();
        expect(target.length).toBeGreaterThan(0);
        // Asked for again before the bytes are there, and with others coming back meanwhile.
        for (const old of given.filter(({ until }) => until === index)) buffer.giveBack(old.taken);
        const length = Math.max(1, Math.round(share * target.length));
        target.fill(index, 0, length);
        const taken = buffer.take(length);
        expect(taken.length).toBe(length);
        expect(taken.byteOffset).toBe(target.byteOffset);
        given.push({
          taken,
          index,
          until: back === 9 ? Number.POSITIVE_INFINITY : index + 1 + back,
        });
        for (const { taken: kept, index: byte, until } of given) {
          if (until > index) expect(kept.every((is) => is === byte)).toBe(true);
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
      memory.add(chunk.buffer);
      buffer.giveBack(chunk);
    }
  }
  expect(memory.size).toBeLessThanOrEqual(4);
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
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const buffer = new ReadBuffer();
  while (buffer.take(buffer.target().length).length < 256 * 1024);
  const kept = Array.from({ length: 6 }, () => buffer.take(buffer.target().length));
  const memory = kept.map(({ buffer }) => new WeakRef(buffer));
  kept.splice(1);
  await setImmediate();
  collect();
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
