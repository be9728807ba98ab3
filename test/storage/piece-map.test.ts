import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HashedBody } from '../../src/core/body.ts';
import { isProven, type Piece, PieceMap, proofOf } from '../../src/storage/engines/piece-map.ts';
import { generatedBytes } from '../support/generated-bytes.ts';

const size = 4_000;
const whole = generatedBytes('pieces', 0, size);

function sha256(end: number): string {
  return createHash('sha256').update(whole.subarray(0, end)).digest('hex');
}

/** Hashed up to a place that a test moves. */
class Hashed implements HashedBody {
  position = 0;
  asked = 0;

  prefix(): { bytes: number; sha256: string } {
    this.asked += 1;
    return { bytes: this.position, sha256: sha256(this.position) };
  }
}

function isRight({ first, last, check }: Piece): boolean {
  const proof = check === proofOf(sha256(last + 1));
  return proof || check === crc32(whole.subarray(first, last + 1));
}

test('every piece is what was written, and those known by the hash follow each other from the first byte on', () => {
  const run = fc.record({
    length: fc.integer({ min: 1, max: 300 }),
    // Elsewhere than in order, and how far the hash is ahead of what is written.
    apart: fc.boolean(),
    lead: fc.integer({ min: -200, max: 400 }),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 40 }), (runs) => {
      const map = new PieceMap(200);
      const hash = new Hashed();
      map.provenBy(hash);
      let front = 0;
      let back = size;
      for (const { length, apart, lead } of runs) {
        if (back - front < length) break;
        const from = apart ? back - length : front;
        if (apart) back = from;
        else front += length;
        hash.position = Math.min(size, Math.max(hash.position, front + lead));
        map.add(from, [whole.subarray(from, from + length)]);
      }
      hash.position = Math.max(hash.position, front);
      map.prove();
      const pieces = map.all();
      expect(pieces.every(isRight)).toBe(true);
      expect(map.bytes).toBe(pieces.reduce((sum, { first, last }) => sum + last + 1 - first, 0));
      let end = 0;
      for (const piece of pieces) {
        if (isProven(piece)) expect(piece.first).toBe(end);
        end = piece.last + 1;
      }
      for (const [index, piece] of pieces.entries()) {
        expect(piece.first).toBeGreaterThan(pieces[index - 1]?.last ?? -1);
      }
    }),
  );
});

test('what comes in order and hashed is a piece for every so many bytes, to the last one', () => {
  const map = new PieceMap(1_000);
  const hash = new Hashed();
  map.provenBy(hash);
  for (let at = 0; at < size - 100; at += 100) {
    hash.position = at + 100;
    map.add(at, [whole.subarray(at, at + 100)]);
  }
  expect(map.bytes + map.unproven).toBe(size - 100);
  map.prove();
  expect(map.unproven).toBe(0);
  const pieces = map.all();
  expect(pieces.map(({ last }) => last + 1)).toEqual([1_000, 2_000, 3_000, 3_900]);
  expect(pieces.every(isProven)).toBe(true);
  expect(hash.asked).toBe(4);
});

test('without a hash each piece has a checksum of its own', () => {
  const map = new PieceMap(1_000);
  map.add(0, [whole.subarray(0, 600), whole.subarray(600, 1_200)]);
  map.add(1_200, [whole.subarray(1_200, 1_300)]);
  expect(map.all()).toEqual([
    { first: 0, last: 1_199, check: crc32(whole.subarray(0, 1_200)) },
    { first: 1_200, last: 1_299, check: crc32(whole.subarray(1_200, 1_300)) },
  ]);
});

/** Hashed some time after it was written. */
class Trailing extends Hashed {
  async reaches(bytes: number): Promise<void> {
    this.position = Math.max(this.position, bytes);
  }
}

test('what is hashed behind is a piece once it is, and the rest when the hash has come so far', async () => {
  const map = new PieceMap(1_000);
  const hash = new Trailing();
  map.provenBy(hash);
  map.add(0, [whole.subarray(0, 1_200)]);
  map.prove();
  expect(map.all()).toEqual([]);
  hash.position = 700;
  map.add(1_200, [whole.subarray(1_200, 2_000)]);
  expect(map.all().map(({ last }) => last)).toEqual([699]);
  // Somewhere else, and over the place where that begins.
  map.add(3_000, [whole.subarray(3_000, 3_500)]);
  map.add(2_000, [whole.subarray(2_000, 3_000)]);
  map.add(3_500, [whole.subarray(3_500, size)]);
  await map.hashed();
  map.prove();
  const pieces = map.all();
  expect(pieces.every(isRight)).toBe(true);
  expect(pieces.map(({ first, last }) => [first, last])).toEqual([
    [0, 699],
    [700, 2_999],
    [3_000, size - 1],
  ]);
});

test('where the hash is far behind each piece has a checksum of its own, and those before are still proven', async () => {
  const mebibyte = 2 ** 20;
  const zeros = Buffer.alloc(mebibyte);
  const map = new PieceMap(mebibyte);
  const hash = new Trailing();
  map.provenBy(hash);
  hash.prefix = () => ({ bytes: hash.position, sha256: sha256(1) });
  for (let at = 0; at < 8; at += 1) map.add(at * mebibyte, [zeros]);
  expect(map.unproven).toBe(8 * mebibyte);
  // From here on it may go on by leaps: that it stops here once is asked of it.
  expect(hash.position).toBe(0);
  for (let at = 8; at < 12; at += 1) map.add(at * mebibyte, [zeros]);
  expect(hash.position).toBe(8 * mebibyte);
  expect(map.all().map(({ first }) => first / mebibyte)).toEqual([8, 9, 10, 11]);
  map.prove();
  expect(map.bytes).toBe(12 * mebibyte);
  expect(map.all().filter(isProven)).toHaveLength(1);
});
