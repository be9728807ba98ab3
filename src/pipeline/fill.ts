import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { BodyPrefix, BodyReader, ByteRange } from '../core/body.ts';
import type { GatewayError } from '../core/errors.ts';
import { Arrivals } from './arrivals.ts';
import type { RunningHash } from './body-hash.ts';
import type { FillOptions, FillSource } from './fill-contract.ts';
import { digestMismatch, incomplete, unread, unreadable } from './fill-errors.ts';
import { FillReader, isAwaited, isNear, type ReadableFill } from './fill-reader.ts';
import { FillStorage } from './fill-storage.ts';
import type { Loan } from './loan.ts';
import { Pace } from './pace.ts';
import { Progress } from './progress.ts';
import { type Piece, RecentChunks } from './recent-chunks.ts';
import { runningHash } from './running-hash.ts';
import { SharedPieces } from './shared-pieces.ts';

/** Bytes of the newest data kept for readers that are in step. */
const windowBytes = 1024 * 1024;

/**
 * A body on its way from a source to the store and to any number of readers, each at its own offset.
 * It belongs to its key: readers come and go, the source goes on until the body is whole. Only when
 * nothing is stored does the slowest reader set the pace.
 *
 * With a known digest the newest byte is held back until the whole body is proven, so that no
 * client can take a wrong body for a complete one.
 */
export class Fill implements ReadableFill {
  readonly size: number | undefined;
  /** Whether the body has to be proven before its last byte is given. */
  readonly isChecked: boolean;
  readonly present: Arrivals;
  readonly #outcome = Promise.withResolvers<ArtifactMeta | undefined>();
  /** Settles with the meta as stored, or with undefined: the body was not to be stored, or failed. */
  readonly settled = this.#outcome.promise;
  readonly #options: FillOptions;
  readonly #storage: FillStorage;
  readonly #recent = new RecentChunks();
  readonly #shared = new SharedPieces(this);
  readonly #readers = new Set<FillReader>();
  readonly #pace = new Pace(this.#recent, this.#readers, windowBytes, () => this.#letGo());
  readonly #hash: RunningHash;
  readonly #progress = new Progress();
  #source: FillSource | undefined;
  /** Whoever made it is about to read. */
  #holds = 1;
  #paused = false;
  #finishing = false;
  #complete = false;
  #sha256: string | undefined;
  #failure: GatewayError | undefined;

  constructor(options: FillOptions) {
    this.size = options.size;
    this.isChecked = options.digest !== undefined;
    this.present = new Arrivals(options.size);
    for (const { first, last } of options.present ?? []) this.present.add(first, last - first + 1);
    this.#options = options;
    this.#storage = new FillStorage(options);
    this.#hash = runningHash(options);
    options.partial?.provenBy?.(this.#hash);
  }

  /** Whether the body is on its way into the store. */
  get storing(): boolean {
    return this.#storage.active;
  }

  /** All bytes are here, and right. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Of the whole body, once that is known; never where it is not stored and nobody waited for it. */
  get sha256(): string | undefined {
    return this.#sha256;
  }

  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** What was left of the body is checked from now on; the source knows what it need not bring. */
  connect(source: FillSource): void {
    this.#source = source;
    if (!this.#storage.resumes) return;
    this.#storage.takeUp(this, source).catch((error) => this.fail(unreadable(error)));
  }

  /** Whether a reader may still begin at `first`: what it needs is stored, or not yet let go. */
  accepts(first: number): boolean {
    if (this.#failure) return false;
    if (this.storing) return true;
    const arrived = first < this.present.upTo(0);
    return arrived ? this.#recent.at(first) !== undefined : !this.complete;
  }

  /** A reader of the range (the whole without one). */
  read(range?: ByteRange): BodyReader {
    const reader = new FillReader(this, range);
    this.#readers.add(reader);
    if (range && range.first > 0 && this.storing) this.#source?.want(range.first);
    return reader;
  }

  /**
   * Takes bytes that belong at `position`; false asks the source to pause until `resume`. Where they
   * are lent, they are held for as long as somebody looks at them.
   */
  append(position: number, chunk: Uint8Array, loan?: Loan): boolean {
    if (this.#failure || this.#finishing) return true;
    this.#hash.update(position, chunk);
    this.present.add(position, chunk.length);
    if (!this.storing || this.#isNear(position)) this.#recent.push(position, chunk, loan);
    const flows = this.#keep(position, chunk, loan);
    // Of several connections one may be told to go on while another still waits.
    if (!flows) this.#paused = true;
    this.advance();
    return flows;
  }

  /** There may be more that can be read, and hashed. */
  readonly advance = (): void => {
    const { position } = this.#hash;
    const awaited = isAwaited(this.#readers, position);
    this.#hash.follow(this.present.upTo(position), this.#read, awaited);
    this.#progress.soon();
  };

  /** First missing byte of each reader that has not all it wants. */
  get waiting(): readonly number[] {
    return [...this.#readers].map(({ position }) => this.present.takenUpTo(position));
  }

  /** The beginning of the body, as far as it came in order. */
  readonly prefix = (): BodyPrefix => this.#hash.prefix();

  /** All bytes have arrived: prove them, let the readers finish, store them. */
  async finish(): Promise<void> {
    if (this.#failure || this.#finishing) return;
    this.#finishing = true;
    const size = this.present.upTo(0);
    if (this.size !== undefined && size !== this.size)
      return this.fail(incomplete(size, this.size));
    try {
      // Nobody who reads waits for a hash that comes behind.
      if (this.#hash.reaches) this.#completed();
      if (this.complete && !this.storing) return this.#unstored();
      const { sha256, matches } = this.#hash.proof ?? (await this.#hash.finish(size, this.#read));
      if (!matches && this.#options.digest) return this.fail(digestMismatch());
      if (!matches) this.#options.keepIf?.otherwise();
      this.#sha256 = sha256;
      this.#completed();
      this.#outcome.resolve(await this.#storage.commit({ sha256, size }));
    } catch (error) {
      if (this.complete) this.#unstored();
      this.#options.onFailure(error);
      this.fail(unreadable(error));
    } finally {
      this.#hash.close?.();
      this.#letFileGo();
    }
  }

  /** The body cannot be completed: every reader learns of it; nothing is stored but for another try. */
  fail(error: GatewayError): void {
    if (this.#failure || this.complete) return;
    this.#failure = error;
    this.#pace.stop();
    this.#source?.abort();
    this.#progress.now();
    this.#recent.clear();
    this.#outcome.resolve(undefined);
    void this.#storage.failed(error).then(() => this.#hash.close?.());
  }

  /**
   * Somebody is about to read, from the beginning: until `release` the fill neither lets go of its
   * first bytes nor ends for want of readers. Its maker holds it from the start.
   */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    this.#letFileGo();
    this.moved();
  }

  /** The body is not to be stored after all; who reads it goes on. */
  forgo(): void {
    this.#storage.forgo();
  }

  /** Ends a fill that nobody reads and nothing stores. */
  abandonIfUnread(): void {
    if (!this.storing && this.#readers.size + this.#holds === 0) this.fail(unread());
  }

  readableEnd(position: number): number {
    const end = this.present.upTo(position);
    if (!this.#options.digest || this.complete) return end;
    return Math.min(end, (this.size ?? end) - 1);
  }

  pieceAt(position: number): Piece | undefined {
    return this.#recent.at(position) ?? this.#shared.at(position);
  }

  readonly load = (position: number): Promise<void> | undefined => this.#shared.load(position);

  async readStored(position: number, target: Uint8Array): Promise<Uint8Array> {
    const bytes = target.subarray(0, await this.#storage.read(position, target));
    this.#hash.update(position, bytes);
    return bytes;
  }

  progress(): Promise<void> {
    return this.#progress.wait();
  }

  moved(): void {
    if (this.storing || this.complete || this.#failure) return;
    this.abandonIfUnread();
    this.#letGo();
  }

  left(reader: FillReader): void {
    this.#readers.delete(reader);
    this.#letFileGo();
    this.#progress.soon();
    this.moved();
  }

  readonly #read = (position: number, target: Uint8Array): Promise<number> =>
    this.#storage.read(position, target);

  /** Whether a reader is about to want it: what comes far from all is read from the store. */
  #isNear(position: number): boolean {
    if (this.#holds > 0 && position < windowBytes) return true;
    return isNear(this.#readers, position, windowBytes);
  }

  #keep(position: number, chunk: Uint8Array, loan: Loan | undefined): boolean {
    const stored = this.storing;
    const written = this.#storage.write(position, chunk);
    if (written === 'failed') {
      if (stored) {
        // What was stored can still be read there: from now on the window is for what is not.
        this.#recent.clear();
        this.#recent.push(position, chunk, loan);
        this.#source?.narrow();
      }
      this.abandonIfUnread();
      return this.#hasRoom();
    }
    this.#recent.trimTo(windowBytes);
    if (written === 'full') void this.#storage.drained().then(() => this.#continue());
    return written === 'taken';
  }

  #continue(): void {
    if (!this.#paused || this.#failure || this.#finishing) return;
    this.#paused = false;
    this.#source?.resume();
  }

  #completed(): void {
    this.#complete = true;
    this.#progress.now();
  }

  #unstored(): void {
    this.#storage.discard();
    this.#outcome.resolve(undefined);
  }

  /** Whoever comes after the end reads what is stored. */
  #letFileGo(): void {
    if (!this.complete || this.#readers.size + this.#holds > 0) return;
    this.#recent.clear();
    this.#shared.clear();
    this.#storage.release();
  }

  #hasRoom(): boolean {
    return this.#failure !== undefined || this.#pace.hasRoom(this.#holds > 0);
  }

  #letGo(): void {
    if (!this.#hasRoom() || this.#failure) return;
    this.#pace.stop();
    this.#continue();
  }
}
