import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BodyReader, ByteRange } from '../../src/core/body.ts';
import { fieldValue } from '../../src/core/raw-headers.ts';
import { multipart } from '../../src/pipeline/multipart.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { partsOf } from '../support/multipart.ts';
import { readAll } from './fill-fixture.ts';

const size = 1000;
const whole = generatedBytes('multipart', 0, size);

/** Gives a range in pieces, and counts how many readers are open. */
function sourceOf(pieceBytes: number) {
  const count = { open: 0, most: 0 };
  const open = async ({ first, last }: ByteRange): Promise<BodyReader> => {
    count.open += 1;
    count.most = Math.max(count.most, count.open);
    let at = first;
    let closed = false;
    return {
      async next() {
        if (at > last) return undefined;
        const piece = whole.subarray(at, Math.min(at + pieceBytes, last + 1));
        at += piece.length;
        return piece;
      },
      close() {
        if (!closed) count.open -= 1;
        closed = true;
      },
    };
  };
  return { open, count };
}

const headers = ['Content-Type', 'text/plain', 'ETag', '"a"', 'Content-Range', 'bytes 0-1/2'];

test('whatever the ranges, the parts are those bytes, and the length is what was said', async () => {
  const position = fc.integer({ min: 0, max: size - 1 });
  const range = fc
    .tuple(position, position)
    .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(range, { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 1, max: 300 }),
      async (ranges, piece) => {
        const { open, count } = sourceOf(piece);
        const made = await multipart({ headers, size, ranges, open });
        const body = await readAll(made.reader);
        expect(body.length).toBe(made.size);
        const parts = partsOf(fieldValue(made.headers, 'content-type'), body);
        expect(parts).toHaveLength(ranges.length);
        for (const [i, { first, last }] of ranges.entries()) {
          expect(parts[i]?.fields.get('content-range')).toBe(`bytes ${first}-${last}/${size}`);
          expect(parts[i]?.fields.get('content-type')).toBe('text/plain');
          expect(parts[i]?.body.equals(whole.subarray(first, last + 1))).toBe(true);
        }
        expect(count.open).toBe(0);
        expect(count.most).toBeLessThanOrEqual(2);
      },
    ),
  );
});

test('the head is that of the representation, but for what the parts say of themselves', async () => {
  const ranges = [
    { first: 0, last: 1 },
    { first: 5, last: 6 },
  ];
  const { open } = sourceOf(10);
  const made = await multipart({ headers, size, ranges, open });
  expect(fieldValue(made.headers, 'etag')).toBe('"a"');
  expect(fieldValue(made.headers, 'content-range')).toBeUndefined();
  made.reader.close();
});

test('closing it in the middle closes what is open', async () => {
  const ranges = [
    { first: 0, last: 100 },
    { first: 200, last: 300 },
  ];
  const { open, count } = sourceOf(10);
  const { reader } = await multipart({ headers, size, ranges, open });
  await reader.next();
  await reader.next();
  reader.close();
  expect(count.open).toBe(0);
});
