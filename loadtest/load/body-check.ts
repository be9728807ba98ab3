import { createHash, type Hash } from 'node:crypto';
import type { Expected } from './shot.ts';

/** Compares responses with what the origin generates, byte for byte. */
export class BodyCheck {
  #expected: Expected;
  #hash: Hash | undefined;
  #position: number;
  #problem: string | undefined;

  /** `digest`: the SHA-256 of a whole body is computed and compared as well. */
  constructor(expected: Expected, digest = false) {
    this.#expected = expected;
    this.#position = expected.from;
    this.#hash = digest ? createHash('sha256') : undefined;
  }

  /** Bytes of the body that have come. */
  get count(): number {
    return this.#position - this.#expected.from;
  }

  /** A response begins: that of another request, when it is named. */
  begin(status: number, expected = this.#expected): void {
    this.#expected = expected;
    this.#position = expected.from;
    if (status !== expected.status) this.#problem ??= `status ${status}`;
  }

  take(chunk: Buffer): void {
    const { content } = this.#expected;
    if (this.#problem === undefined && !content.isRight(this.#position, chunk)) {
      this.#problem = `wrong bytes in ${chunk.length} from ${this.#position} of ${content.name}`;
    }
    this.#hash?.update(chunk);
    this.#position += chunk.length;
  }

  /** The response is over: what was wrong with it, if anything. */
  finish(): string | undefined {
    const { content, from, to } = this.#expected;
    if (this.#position !== to) this.#problem ??= `${this.count} of ${to - from} bytes`;
    if (this.#hash && this.#hash.digest('hex') !== content.sha256()) {
      this.#problem ??= `wrong SHA-256 of ${content.name}`;
    }
    this.#hash = undefined;
    return this.#problem;
  }

  /** What was wrong so far. */
  get problem(): string | undefined {
    return this.#problem;
  }
}
