import type { BodyReader, ByteRange } from '../core/body.ts';

/** Reads a body (or a range of it) that is in memory, as one chunk and without a copy. */
export function readBytes(bytes: Uint8Array, range?: ByteRange): BodyReader {
  const part = range ? bytes.subarray(range.first, range.last + 1) : bytes;
  let rest: Uint8Array | undefined = part.length > 0 ? part : undefined;
  return {
    next() {
      const chunk = rest;
      rest = undefined;
      return Promise.resolve(chunk);
    },
    close() {
      rest = undefined;
    },
  };
}
