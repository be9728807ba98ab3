import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkedBody } from '../../loadtest/load/chunked-body.ts';

test('a body in chunks comes out whole, however the bytes are cut', () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 50 }), (chunks, step) => {
      const coded = Buffer.concat([
        ...chunks.flatMap((chunk) => [
          Buffer.from(`${chunk.length.toString(16)}\r\n`),
          Buffer.from(chunk),
          Buffer.from('\r\n'),
        ]),
        Buffer.from('0\r\n\r\nHTTP/1.1'),
      ]);
      const body = new ChunkedBody();
      const taken: Buffer[] = [];
      let used = 0;
      while (!body.over) {
        const input = coded.subarray(used, used + step);
        used += body.push(input, 0, (bytes) => taken.push(Buffer.from(bytes)));
      }
      expect(Buffer.concat(taken)).toEqual(Buffer.concat(chunks));
      // What follows is the next response.
      expect(coded.toString('latin1', used)).toBe('HTTP/1.1');
    }),
  );
});

test('what is no chunk is refused', () => {
  const push = (text: string) => () => new ChunkedBody().push(Buffer.from(text), 0, () => {});
  expect(push('xyz\r\n')).toThrow(/not the size of a chunk: xyz/);
  expect(push('1\r\nabc\r\n')).toThrow(/longer than it says/);
});
