import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../core/digest.ts';
import type { Prefix } from './prefix-check.ts';

/** Copies bytes of the body from `position` on into `target`; how many, at least 1. */
export type ReadBody = (position: number, target: Uint8Array) => Promise<number>;

const rereadBytes = 512 * 1024;
/** How far it may stay behind what came for the sake of somebody who reads there, in bytes. */
const mostBehind = 32 * 1024 * 1024;

/** SHA-256 of a body (and its expected digest, where another algorithm) while its bytes arrive. */
export class BodyHash {
  readonly #sha256 = createHash('sha256');
  readonly #expected: Digest | undefined;
  readonly #other: Hash | undefined;
  #position = 0;
  /** For what is read again; one for all of it. */
  #scratch: Buffer | undefined;
  /** Counting bytes that came out of order. */
  #following: Promise<void> | undefined;

  constructor(expected: Digest | undefined) {
    this.#expected = expected;
    this.#other =
      expected && expected.algorithm !== 'sha256' ? createHash(expected.algorithm) : undefined;
  }

  /** Bytes that are counted in. */
  get position(): number {
    return this.#position;
  }

  /** Counts the bytes in from the one on that comes next; what comes out of order is read again. */
  update(position: number, chunk: Uint8Array): void {
    const known = this.#position - position;
    if (known < 0 || known >= chunk.length || this.#following) return;
    this.#count(known === 0 ? chunk : chunk.subarray(known));
  }

  /**
   * Counts in what came out of order and is next by now, up to `end`. Where somebody else is about to
   * read it that one's `update` is waited for, so that it is read once.
   */
  follow(end: number, read: ReadBody, isAwaited = false): void {
    if (end <= this.#position + (isAwaited ? mostBehind : 0) || this.#following) return;
    const over = (): void => {
      this.#following = undefined;
    };
    // What could not be read is read again at the end, where somebody waits for the error.
    this.#following = this.#countUpTo(end, read).then(over, over);
  }

  /** The bytes that were counted in so far. */
  prefix(): Prefix {
    return { bytes: this.#position, sha256: this.#sha256.copy().digest('hex') };
  }

  /** Counts in the rest through `read`, then says whether the body is what it must be. */
  async finish(size: number, read: ReadBody): Promise<{ sha256: string; matches: boolean }> {
    await this.#following;
    // Nobody counts in what is counted here.
    this.#following = this.#countUpTo(size, read);
    await this.#following;
    this.#scratch = undefined;
    const sha256 = this.#sha256.digest('hex');
    const actual = this.#other ? this.#other.digest('hex') : sha256;
    return { sha256, matches: this.#expected === undefined || this.#expected.hex === actual };
  }

  async #countUpTo(end: number, read: ReadBody): Promise<void> {
    while (this.#position < end) {
      this.#scratch ??= Buffer.allocUnsafeSlow(rereadBytes);
      const wanted = this.#scratch.subarray(0, Math.min(rereadBytes, end - this.#position));
      this.#count(wanted.subarray(0, await read(this.#position, wanted)));
    }
  }

  #count(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    this.#other?.update(chunk);
    this.#position += chunk.length;
  }
}
