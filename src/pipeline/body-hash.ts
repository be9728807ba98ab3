import { createHash, type Hash, hash } from 'node:crypto';
import type { BodyPrefix, HashedBody } from '../core/body.ts';
import type { Digest, DigestAlgorithm } from '../core/digest.ts';

/** Copies bytes of the body from `position` on into `target`; how many, at least 1. */
export type ReadBody = (position: number, target: Uint8Array) => Promise<number>;

const rereadBytes = 512 * 1024;
/** How far it may stay behind what came for the sake of somebody who reads there, in bytes. */
const mostBehind = 32 * 1024 * 1024;

/** What a body turned out to be. */
export interface Proof {
  readonly sha256: string;
  /** Whether it is what it must be. */
  readonly matches: boolean;
}

/** The hash of a body that is arriving. */
export interface RunningHash extends HashedBody {
  /** Where it is known before `finish`. */
  readonly proof: Proof | undefined;
  /** Bytes have come. */
  update(position: number, chunk: Uint8Array): void;
  /**
   * Goes on with what is there by now, up to `end`. Where somebody else is about to read it that one's
   * `update` may be waited for.
   */
  follow(end: number, read: ReadBody, isAwaited?: boolean): void;
  /** All is there: what it is, and whether it is what it must be. */
  finish(size: number, read: ReadBody): Promise<Proof>;
  /** Nobody needs it any more. */
  close?(): void;
}

/** What a body is of which all bytes are here. */
export function proofOf(whole: Uint8Array, expected: Digest | undefined): Proof {
  const other = otherAlgorithm(expected);
  return judged(expected, hash('sha256', whole), other && hash(other, whole));
}

/** SHA-256 of a body (and its expected digest, where another algorithm) while its bytes arrive. */
export class BodyHash implements RunningHash {
  readonly #expected: Digest | undefined;
  readonly #size: number | undefined;
  /** SHA-256 and the other one, once there is something to count that is not all of it. */
  #hashes: readonly [sha256: Hash, other: Hash | undefined] | undefined;
  #position = 0;
  #proof: Proof | undefined;
  /** For what is read again; one for all of it. */
  #scratch: Buffer | undefined;
  /** Counting bytes that came out of order. */
  #following: Promise<void> | undefined;

  /** `size`: of the whole body, when it is known. */
  constructor(expected: Digest | undefined, size?: number) {
    this.#expected = expected;
    this.#size = size;
  }

  /** Known before `finish` of a body that came in one piece. */
  get proof(): Proof | undefined {
    return this.#proof;
  }

  /** Bytes that are counted in. */
  get position(): number {
    return this.#position;
  }

  /** Counts the bytes in from the one on that comes next; what comes out of order is read again. */
  update(position: number, chunk: Uint8Array): void {
    const known = this.#position - position;
    if (known < 0 || known >= chunk.length || this.#following) return;
    if (position === 0 && known === 0 && chunk.length === this.#size) {
      this.#countAtOnce(chunk);
      return;
    }
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
  prefix(): BodyPrefix {
    const sha256 = this.#proof?.sha256 ?? this.#begun()[0].copy().digest('hex');
    return { bytes: this.#position, sha256 };
  }

  /** Counts in the rest through `read`, then says whether the body is what it must be. */
  async finish(size: number, read: ReadBody): Promise<Proof> {
    await this.#following;
    // Nobody counts in what is counted here.
    this.#following = this.#countUpTo(size, read);
    await this.#following;
    this.#scratch = undefined;
    if (this.#proof) return this.#proof;
    const [sha256, other] = this.#begun();
    this.#proof = judged(this.#expected, sha256.digest('hex'), other?.digest('hex'));
    return this.#proof;
  }

  /** All of it in one piece: there is no state to be made. */
  #countAtOnce(whole: Uint8Array): void {
    this.#proof = proofOf(whole, this.#expected);
    this.#position = whole.length;
  }

  #begun(): readonly [sha256: Hash, other: Hash | undefined] {
    const other = otherAlgorithm(this.#expected);
    this.#hashes ??= [createHash('sha256'), other && createHash(other)];
    return this.#hashes;
  }

  async #countUpTo(end: number, read: ReadBody): Promise<void> {
    while (this.#position < end) {
      this.#scratch ??= Buffer.allocUnsafeSlow(rereadBytes);
      const wanted = this.#scratch.subarray(0, Math.min(rereadBytes, end - this.#position));
      this.#count(wanted.subarray(0, await read(this.#position, wanted)));
    }
  }

  #count(chunk: Uint8Array): void {
    const [sha256, other] = this.#begun();
    sha256.update(chunk);
    other?.update(chunk);
    this.#position += chunk.length;
  }
}

function judged(expected: Digest | undefined, sha256: string, other: string | undefined): Proof {
  const { hex } = expected ?? {};
  return { sha256, matches: hex === undefined || hex === (other ?? sha256) };
}

function otherAlgorithm(expected: Digest | undefined): DigestAlgorithm | undefined {
  return expected?.algorithm === 'sha256' ? undefined : expected?.algorithm;
}
