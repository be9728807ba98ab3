import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReadBuffer } from '../../src/upstream/read-buffer.ts';

it('gives every byte once and never touches what it gave, however long the reads are', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(share, { maxLength: 20 }), (reads) => {
      const buffer = new ReadBuffer();
      const given: [Buffer, number][] = [];
      reads.forEach((part, index) => {
        const target = buffer.target();
        const length = Math.max(1, Math.round(part * target.length));
        target.fill(index, 0, length);
        const taken = buffer.take(length);
        expect(taken.length).toBe(length);
        expect(taken.buffer.byteLength).toBeLessThanOrEqual(length * 2);
        given.push([taken, index]);
      });
      for (const [taken, index] of given) expect(taken.every((byte) => byte === index)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

it('grows while reads fill it and shrinks when they do not', () => {
  const buffer = new ReadBuffer();
  const sizes: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    sizes.push(buffer.target().length);
    buffer.take(buffer.target().length);
  }
  for (let i = 0; i < 4; i += 1) {
    sizes.push(buffer.target().length);
    buffer.take(1);
  }
  expect(sizes.map((size) => size / 1024)).toEqual([16, 64, 256, 256, 256, 64, 16, 16]);
});
