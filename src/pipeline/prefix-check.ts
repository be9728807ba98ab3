import { createHash } from 'node:crypto';
import type { BodyPrefix } from '../core/body.ts';

/** Whether a body that comes once more begins as it did the first time. */
export class PrefixCheck {
  readonly #expected: string;
  readonly #hash = createHash('sha256');
  #left: number;

  constructor({ bytes, sha256 }: BodyPrefix) {
    this.#left = bytes;
    this.#expected = sha256;
  }

  /** Takes the next bytes; false once the prefix is over and was another one. */
  take(chunk: Uint8Array): boolean {
    if (this.#left === 0) return true;
    const part = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#hash.update(part);
    this.#left -= part.length;
    return this.#left > 0 || this.#hash.digest('hex') === this.#expected;
  }
}
