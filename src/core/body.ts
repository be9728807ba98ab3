/**
 * A pull on a body: one consumer, in order. A slow consumer holds the one chunk it was given.
 */
export interface BodyReader {
  /**
   * The next bytes, never empty; undefined at the end. The chunk belongs to the reader again at the
   * following call. Rejects with a GatewayError when the body cannot be completed: what was given
   * until then must not be ended as if it were whole.
   */
  next(): Promise<Uint8Array | undefined>;
  /**
   * What `next` would resolve with, where it is there without waiting; undefined: ask `next`, at the
   * end, too. Never rejects.
   */
  nextNow?(): Uint8Array | undefined;
  /** Gives back what the reader holds; any number of times, at any moment, a pending `next` included. */
  close(): void;
}

/** The beginning of a body. */
export interface BodyPrefix {
  readonly bytes: number;
  /** Of those bytes, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** A body that is hashed from its beginning on. */
export interface HashedBody {
  /** Bytes that were hashed so far. */
  readonly position: number;
  /** What they hash to. */
  prefix(): BodyPrefix;
  /**
   * Resolves when so many bytes are hashed, all of which were written, or never will be. Undefined
   * where each byte is hashed when it comes; otherwise some time after it was written.
   */
  reaches?(bytes: number): Promise<void>;
}

/** First and last byte position, both inclusive, as HTTP counts. RFC 9110 section 14.1.2. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}
