import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReadBuffer } from '../../src/upstream/read-buffer.ts';

it('gives every byte once and never touches what it gave, however long the reads are', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(share, { maxLength: 40 }), (reads) => {
      const buffer = new ReadBuffer();
      const given: [Buffer, number][] = [];
      reads.forEach((part, index) => {
        const target = buffer.target();
        expect(target.length).toBeGreaterThan(0);
        const length = Math.max(1, Math.round(part * target.length));
        target.fill(index, 0, length);
        const taken = buffer.take(length);
        expect(taken.length).toBe(length);
        given.push([taken, index]);
      });
      for (const [taken, index] of given) expect(taken.every((byte) => byte === index)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

it('grows while reads fill it and shrinks when they use little of it', () => {
  const buffer = new ReadBuffer();
  const read = (length = buffer.target().length) => buffer.take(length).buffer.byteLength / 1024;
  expect([read(), read(), read(), read()]).toEqual([16, 64, 256, 256]);
  const small = Array.from({ length: 24 }, () => read(1));
  expect(small).toEqual([
    ...Array.from({ length: 8 }, () => 256),
    ...Array.from({ length: 8 }, () => 64),
    ...Array.from({ length: 8 }, () => 16),
  ]);
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
