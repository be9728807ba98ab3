import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bodyOfPath,
  bodyPath,
  bytesAt,
  generatedBody,
  isRight,
} from '../../loadtest/fixtures/generated-body.ts';

const size = 9 * 1024 * 1024;
const body = generatedBody('some-object', size);

/** The bytes from `first` on, however many pieces they come in. */
function part(first: number, length: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = first; at < first + length; ) {
    const piece = bytesAt(body, at, first + length - at);
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces);
}

test('any part of a body is right where it stands, and nowhere else', () => {
  const positions = fc.tuple(fc.nat(size - 1), fc.integer({ min: 32, max: 70_000 }), fc.nat(size));
  fc.assert(
    fc.property(positions, ([first, most, elsewhere]) => {
      const bytes = part(first, Math.min(most, size - first));
      expect(isRight(body, first, bytes)).toBe(true);
      if (elsewhere !== first && bytes.length >= 32) {
        expect(isRight(body, elsewhere, bytes)).toBe(false);
      }
    }),
    { numRuns: 50, examples: [[[0, 65_536, 4 * 1024 * 1024]]] },
  );
});

test('one flipped bit is seen, and bytes beyond the end', () => {
  const bytes = Buffer.from(part(1000, 5000));
  bytes[4321] = (bytes[4321] ?? 0) ^ 1;
  expect(isRight(body, 1000, bytes)).toBe(false);
  expect(isRight(body, size - 4, part(0, 8))).toBe(false);
});

test('bodies of different names differ', () => {
  expect(isRight(generatedBody('another-object', size), 0, part(0, 4096))).toBe(false);
});

test('a path says which body, behind the path of a mount as well', () => {
  expect(bodyOfPath(`/files${bodyPath('some-object', size)}`)).toEqual({ body, pace: undefined });
  expect(bodyOfPath(bodyPath('some-object', size, 1000))).toEqual({ body, pace: 1000 });
  expect(bodyOfPath('/bytes/many/some-object')).toBeUndefined();
});
