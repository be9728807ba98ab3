import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import type { Digest } from '../core/digest.ts';
import { GatewayError } from '../core/errors.ts';
import { RangeSet } from '../policy/byte-range.ts';
import type { PartialBody } from '../storage/store.ts';
import { BodyHash } from './body-hash.ts';
import { FillReader } from './fill-reader.ts';
import { RecentChunks } from './recent-chunks.ts';

/** Bytes of the newest data kept for readers that are in step. */
const windowBytes = 1024 * 1024;
/** How long a reader may hold back others when nothing is being stored, in milliseconds. */
const stallMs = 5_000;

export interface FillOptions {
  /** Total bytes, when the response says so. */
  readonly size: number | undefined;
  /** Where the bytes go; undefined: nowhere, and the slowest reader sets the pace. */
  readonly partial: PartialBody | undefined;
  /** What the whole body must have. */
  readonly digest?: Digest;
  /** Makes the body durable once it is complete and right; undefined when it is not stored. */
  readonly meta?: (body: { sha256: string; size: number }) => ArtifactMeta;
  readonly key: string;
  /** The store failed: the readers do not notice, the operator must. */
  readonly onStorageFailure: (error: unknown) => void;
}

/** What brings the bytes; the fill tells it when to go on, where readers wait, and when to give up. */
export interface FillSource {
  resume(): void;
  want(position: number): void;
  abort(): void;
}

/**
 * A body on its way from a source to the store and to any number of readers, each at its own offset.
 * It belongs to its key: readers come and go, the source goes on until the body is whole.
 *
 * With a known digest the newest byte is held back until the whole body is proven, so that no
 * client can take a wrong body for a complete one.
 */
export class Fill {
  readonly size: number | undefined;
  readonly key: string;
  /** Settles when the body is stored (the meta as stored), was not to be stored, or failed (undefined). */
  readonly settled: Promise<ArtifactMeta | undefined>;
  readonly #options: FillOptions;
  readonly #present = new RangeSet();
  readonly #recent = new RecentChunks();
  readonly #readers = new Set<FillReader>();
  readonly #hash: BodyHash;
  readonly #settle: (meta: ArtifactMeta | undefined) => void;
  #source: FillSource | undefined;
  #storing: boolean;
  #storedEnd = Number.POSITIVE_INFINITY;
  #paused = false;
  #everRead = false;
  #finishing = false;
  #complete = false;
  #sha256: string | undefined;
  #failure: GatewayError | undefined;
  #waiters: (() => void)[] = [];
  #wakeScheduled = false;
  #stallTimer: NodeJS.Timeout | undefined;

  constructor(options: FillOptions) {
    this.#options = options;
    this.size = options.size;
    this.key = options.key;
    this.#storing = options.partial !== undefined;
    if (!this.#storing) this.#storedEnd = 0;
    this.#hash = new BodyHash(options.digest);
    const { promise, resolve } = Promise.withResolvers<ArtifactMeta | undefined>();
    this.settled = promise;
    this.#settle = resolve;
  }

  /** Whether the body goes into the store. */
  get storing(): boolean {
    return this.#storing;
  }

  get complete(): boolean {
    return this.#complete;
  }

  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** Of the whole body, once it is complete. */
  get sha256(): string | undefined {
    return this.#sha256;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Bytes that have arrived. */
  get bytes(): number {
    return this.#present.bytes;
  }

  /** Whether a reader may still begin at `first`: what it needs is stored, or not yet let go. */
  accepts(first: number): boolean {
    if (this.#failure) return false;
    if (this.#storing || this.#complete) return this.#storedEnd === Number.POSITIVE_INFINITY;
    return first >= this.#present.runEnd(0) || this.#recent.from(first) !== undefined;
  }

  connect(source: FillSource): void {
    this.#source = source;
  }

  /** A reader of the range (the whole without one). */
  read(range?: ByteRange): BodyReader {
    const reader = new FillReader(this, range);
    this.#readers.add(reader);
    this.#everRead = true;
    if (range && range.first > 0 && !this.#complete) this.#source?.want(range.first);
    return reader;
  }

  /** Takes bytes that belong at `position`; false asks the source to pause until `resume`. */
  append(position: number, chunk: Uint8Array): boolean {
    if (this.#failure || this.#finishing) return true;
    this.#hash.update(position, chunk);
    this.#recent.push(position, chunk);
    this.#present.add({ first: position, last: position + chunk.length - 1 });
    const flows = this.#storing ? this.#store(position, chunk) : this.#hasRoom();
    this.#paused = !flows;
    this.#wakeSoon();
    return flows;
  }

  /** First byte from `position` on that has not arrived. */
  arrivedUpTo(position: number): number {
    return this.#present.runEnd(position);
  }

  /** First position from `position` on that has arrived; infinity where none has or the size is unknown. */
  nextArrived(position: number): number {
    if (this.size === undefined || position >= this.size)
      return this.size ?? Number.POSITIVE_INFINITY;
    const gap = this.#present.missing({ first: position, last: this.size - 1 })[0];
    return gap?.first === position ? gap.last + 1 : position;
  }

  /** Resolves once that many bytes have arrived from the start, or the fill has ended. */
  async arrived(bytes: number): Promise<void> {
    while (!this.#complete && !this.#failure && this.#present.runEnd(0) < bytes)
      await this.progress();
  }

  missing(): readonly ByteRange[] {
    return this.size === undefined || this.size === 0
      ? []
      : this.#present.missing({ first: 0, last: this.size - 1 });
  }

  /** All bytes have arrived: prove them, store them, let the readers finish. */
  async finish(): Promise<void> {
    if (this.#failure || this.#finishing) return;
    this.#finishing = true;
    const size = this.#present.runEnd(0);
    if (this.size !== undefined && size !== this.size) {
      this.fail(incomplete(size, this.size));
      return;
    }
    try {
      const { sha256, matches } = await this.#hash.finish(size, (at, into) =>
        this.#readStored(at, into),
      );
      if (!matches) {
        this.fail(digestMismatch());
        return;
      }
      this.#sha256 = sha256;
      this.#complete = true;
      this.#wake();
      await this.#commit(sha256, size);
    } catch (error) {
      this.#options.onStorageFailure(error);
      if (!this.#complete) this.fail(storageFailed(error));
      else this.#settle(undefined);
    }
  }

  /** The body cannot be completed: every reader learns of it, nothing is stored. */
  fail(error: GatewayError): void {
    if (this.#failure || this.#complete) return;
    this.#failure = error;
    clearTimeout(this.#stallTimer);
    this.#source?.abort();
    this.#wake();
    this.#recent.clear();
    this.#settle(undefined);
    this.#discard();
  }

  /** Ends a fill that nobody reads and nothing stores. */
  abandonIfUnread(): void {
    if (this.#storing || this.#complete || this.#readers.size > 0) return;
    this.fail(
      new GatewayError('client_gone', 'nobody reads a body that is not stored', {
        origin: 'client',
      }),
    );
  }

  // --- for the readers ---

  /** End (exclusive) of what may be given to a reader at `position`. */
  readableEnd(position: number): number {
    const end = this.#present.runEnd(position);
    return this.#options.digest && !this.#complete ? Math.min(end, this.#heldBackFrom(end)) : end;
  }

  /** Bytes at `position`, at most up to `end`: a shared piece, or a copy in `scratch()`. */
  async bytesAt(position: number, end: number, scratch: () => Uint8Array): Promise<Uint8Array> {
    const piece = this.#recent.from(position);
    if (piece) return piece.length > end - position ? piece.subarray(0, end - position) : piece;
    const buffer = scratch();
    const length = await this.#readStored(
      position,
      buffer.subarray(0, Math.min(buffer.length, end - position)),
    );
    return buffer.subarray(0, length);
  }

  /** Resolves when there may be more to read, or the fill has ended. */
  progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** A reader moved on or left. */
  moved(reader: FillReader): void {
    if (reader.closed) {
      this.#readers.delete(reader);
      this.#wakeSoon();
    }
    if (!this.#storing && !this.#complete && !this.#failure) this.#letGo();
  }

  // --- inside ---

  #heldBackFrom(end: number): number {
    return this.size === undefined ? end - 1 : this.size - 1;
  }

  #store(position: number, chunk: Uint8Array): boolean {
    const partial = this.#options.partial as PartialBody;
    const flows = partial.write(position, chunk);
    if (partial.failure) {
      this.#stopStoring(position, partial.failure);
      return this.#hasRoom();
    }
    this.#recent.trimTo(windowBytes);
    if (!flows) void partial.drained().then(() => this.#continue());
    return flows;
  }

  /** The medium failed: go on from memory alone, at the pace of the slowest reader. */
  #stopStoring(position: number, failure: Error): void {
    this.#storing = false;
    this.#storedEnd = position;
    this.#options.onStorageFailure(failure);
  }

  #continue(): void {
    if (!this.#paused || this.#failure || this.#finishing) return;
    this.#paused = false;
    this.#source?.resume();
  }

  #hasRoom(): boolean {
    if (this.#readers.size > 0) this.#recent.dropBefore(this.#slowest());
    else if (this.#everRead) this.abandonIfUnread();
    if (this.#failure) return true;
    if (this.#recent.bytes < windowBytes) return true;
    this.#stallTimer ??= setTimeout(() => this.#dropStalled(), stallMs).unref();
    return false;
  }

  #letGo(): void {
    if (this.#hasRoom() && !this.#failure) {
      clearTimeout(this.#stallTimer);
      this.#stallTimer = undefined;
      this.#continue();
    }
  }

  #slowest(): number {
    let slowest = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers) slowest = Math.min(slowest, reader.position);
    return slowest;
  }

  /** When nothing is stored, one stalled client must not hold back the others. */
  #dropStalled(): void {
    this.#stallTimer = undefined;
    const slowest = this.#slowest();
    const ahead = [...this.#readers].filter(
      (reader) => reader.position >= slowest + windowBytes / 2,
    );
    if (ahead.length > 0) {
      for (const reader of this.#readers) if (reader.position === slowest) reader.drop();
    }
    this.#letGo();
  }

  async #readStored(position: number, target: Uint8Array): Promise<number> {
    const partial = this.#options.partial;
    if (!partial)
      throw new GatewayError('storage_failed', 'the body is not stored', { origin: 'gateway' });
    return partial.read(position, target);
  }

  async #commit(sha256: string, size: number): Promise<void> {
    const { partial, meta, key } = this.#options;
    if (!partial || !meta || !this.#storing) {
      this.#settle(undefined);
      this.#discard();
      return;
    }
    this.#settle(await partial.commit(key, meta({ sha256, size })));
  }

  /** A failed body's readers are told at once, so its bytes can go. */
  #discard(): void {
    this.#options.partial?.discard().catch(this.#options.onStorageFailure);
  }

  #wakeSoon(): void {
    if (this.#wakeScheduled || this.#waiters.length === 0) return;
    this.#wakeScheduled = true;
    setImmediate(() => this.#wake());
  }

  #wake(): void {
    this.#wakeScheduled = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

function incomplete(size: number, expected: number): GatewayError {
  return new GatewayError('http_response_incomplete', `body has ${size} of ${expected} bytes`, {
    origin: 'upstream',
    retryable: true,
  });
}

function digestMismatch(): GatewayError {
  return new GatewayError('digest_mismatch', 'body does not have the digest it must have', {
    origin: 'upstream',
    retryable: true,
  });
}

function storageFailed(cause: unknown): GatewayError {
  return new GatewayError('storage_failed', 'body could not be read back', {
    origin: 'storage',
    cause,
  });
}
