import { createHash } from 'node:crypto';
import type { BodyReader } from '../core/body.ts';
import type { Digest } from '../core/digest.ts';
import { digestMismatch } from './fill-errors.ts';

/**
 * The same body, its newest piece held back until the whole has the digest that it must have. The
 * inner reader's pieces must stay as they are after the following `next`.
 */
export function withDigest(inner: BodyReader, digest: Digest): BodyReader {
  const hash = createHash(digest.algorithm);
  let held: Uint8Array | undefined;
  let ended = false;
  return {
    async next() {
      while (!ended) {
        const chunk = await inner.next();
        const previous = held;
        held = chunk;
        if (chunk) hash.update(chunk);
        else {
          ended = true;
          if (hash.digest('hex') !== digest.hex) throw digestMismatch();
        }
        if (previous) return previous;
      }
      return undefined;
    },
    close: () => inner.close(),
  };
}
