import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineReader } from '../../src/ecosystems/line-reader.ts';
import { LineRewriter } from '../../src/ecosystems/line-rewriter.ts';

const maxBytes = 12;
const line = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', ' ', '\r', '-', 'é'), maxLength: 20 }),
  fc.constant('change'),
);
const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'));

/** The bytes in pieces that end at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length];
  const sorted = ends.sort((a, b) => a - b);
  return sorted.map((end, at) => bytes.subarray(sorted[at - 1] ?? 0, end));
}

it('lines are replaced wherever the document is cut, and all other bytes stay', () => {
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 6 }), (document, places) => {
      const rewriter = new LineRewriter(maxBytes, (each) =>
        each === 'change' ? 'changed' : undefined,
      );
      const pieces = cut(Buffer.from(document), places).flatMap((piece) => rewriter.push(piece));
      const whole = document
        .split('\n')
        .map((each) => (each === 'change' ? 'changed' : each))
        .join('\n');
      expect(Buffer.concat([...pieces, ...rewriter.end()]).toString()).toBe(whole);
    }),
  );
});

it('lines are read wherever the document is cut, but those that are too long', () => {
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 6 }), (document, places) => {
      const read: string[] = [];
      const reader = new LineReader(maxBytes, (each) => {
        read.push(each);
        return false;
      });
      for (const piece of cut(Buffer.from(document), places)) reader.push(piece);
      reader.end();
      const fitting = document
        .split('\n')
        .filter((each) => each !== '' && Buffer.byteLength(each) <= maxBytes);
      expect(read).toEqual(fitting);
    }),
  );
});

it('no more lines are read than are wanted', () => {
  const read: string[] = [];
  const reader = new LineReader(maxBytes, (each) => read.push(each) === 2);
  expect(reader.push(Buffer.from('a\nb\nc\n'))).toBe(true);
  reader.end();
  expect(read).toEqual(['a', 'b']);
});
