import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SplicedBytes } from '../../src/ecosystems/spliced-bytes.ts';

/** Stretches of a source, each kept or replaced, and how many bytes at its end are left out. */
const stretches = fc.array(
  fc.record({
    bytes: fc.uint8Array({ maxLength: 40 }),
    text: fc.option(fc.string({ unit: 'grapheme', maxLength: 60 }), { nil: undefined }),
  }),
  { maxLength: 30 },
);

test('stretches are replaced, and all else is as it was, in one piece', () => {
  fc.assert(
    fc.property(stretches, fc.uint8Array({ maxLength: 20 }), (parts, leftOut) => {
      const source = Buffer.concat([...parts.map(({ bytes }) => bytes), leftOut]);
      const spliced = new SplicedBytes(source);
      let at = 0;
      for (const { bytes, text } of parts) {
        if (text !== undefined) spliced.replace(at, at + bytes.length, text);
        at += bytes.length;
      }
      const pieces = spliced.upTo(at);
      const expected = parts.map(({ bytes, text }) =>
        text === undefined ? bytes : Buffer.from(text),
      );
      expect(Buffer.concat(pieces)).toEqual(Buffer.concat(expected));
      expect(pieces.length).toBeLessThanOrEqual(1);
      expect(pieces.every(({ length }) => length > 0)).toBe(true);
    }),
  );
});

test('without replacements nothing is copied', () => {
  const source = Buffer.from('hello');
  const [piece] = new SplicedBytes(source).upTo(4);
  expect(piece?.buffer).toBe(source.buffer);
  expect(piece).toHaveLength(4);
});
