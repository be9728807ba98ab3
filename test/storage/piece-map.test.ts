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
