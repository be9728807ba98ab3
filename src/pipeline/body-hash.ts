import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../core/digest.ts';

const rereadBytes = 256 * 1024;

/** SHA-256 of a body (and its expected digest, where another algorithm) while its bytes arrive. */
export class BodyHash {
  readonly #sha256 = createHash('sha256');
  readonly #expected: Digest | undefined;
  readonly #other: Hash | undefined;
  #position = 0;

  constructor(expected: Digest | undefined) {
    this.#expected = expected;
    this.#other =
      expected && expected.algorithm !== 'sha256' ? createHash(expected.algorithm) : undefined;
  }

  /** Counts the bytes in if they come next; what comes out of order is read again at the end. */
  update(position: number, chunk: Uint8Array): void {
    if (position !== this.#position) return;
    this.#sha256.update(chunk);
    this.#other?.update(chunk);
    this.#position += chunk.length;
  }

  /** Hashes what came out of order through `read`, then says whether the body is what it must be. */
  async finish(
    size: number,
    read: (position: number, target: Uint8Array) => Promise<number>,
  ): Promise<{ sha256: string; matches: boolean }> {
    const buffer = this.#position < size ? Buffer.allocUnsafeSlow(rereadBytes) : undefined;
    while (buffer && this.#position < size) {
      const length = await read(
        this.#position,
        buffer.subarray(0, Math.min(rereadBytes, size - this.#position)),
      );
      this.update(this.#position, buffer.subarray(0, length));
    }
    const sha256 = this.#sha256.digest('hex');
    const actual = this.#other ? this.#other.digest('hex') : sha256;
    return { sha256, matches: this.#expected === undefined || this.#expected.hex === actual };
  }
}
