import type { BodyReader, ByteRange } from '../core/body.ts';
import { GatewayError } from '../core/errors.ts';
import type { Loan } from './loan.ts';
import type { Piece } from './recent-chunks.ts';

/**
 * The most a reader copies at a time when it is behind the pieces that are still in memory: much,
 * because each read costs the same, for as long as there are few of them. Where there are more they
 * share what is read.
 */
const scratchBytes = 64 * 1024;
const largeScratchBytes = 512 * 1024;
const few = 8;

/** What a reader sees of the fill that it reads. */
export interface ReadableFill {
  /** Total bytes, when known. */
  readonly size: number | undefined;
  readonly complete: boolean;
  readonly failure: GatewayError | undefined;
  /** How many read it. */
  readonly readers: number;
  /** End (exclusive) of what may be given to a reader at `position`. */
  readableEnd(position: number): number;
  /** What is in memory at `position`, for all readers. */
  pieceAt(position: number): Piece | undefined;
  /** Resolves when it is; undefined where it cannot be now. */
  load(position: number): Promise<void> | undefined;
  /** Copies stored bytes from `position` on into `target`; those that were copied. */
  readStored(position: number, target: Uint8Array): Promise<Uint8Array>;
  /** Resolves when there may be more to read, or the fill has ended. */
  progress(): Promise<void>;
  /** A reader took bytes. */
  moved(): void;
  /** A reader takes no more. */
  left(reader: FillReader): void;
}

/** One client's place in a fill. */
export class FillReader implements BodyReader {
  readonly #fill: ReadableFill;
  /** Exclusive; undefined: to the end, wherever that is. */
  readonly #end: number | undefined;
  #position: number;
  #scratch: Uint8Array | undefined;
  /** The memory of what it was given last. */
  #lent: Loan | undefined;
  #closed = false;
  #dropped = false;

  constructor(fill: ReadableFill, range: ByteRange | undefined) {
    this.#fill = fill;
    this.#position = range?.first ?? 0;
    this.#end = range ? range.last + 1 : fill.size;
  }

  get position(): number {
    return this.#position;
  }

  /** Where it stops; exclusive. */
  get end(): number {
    return this.#end ?? Number.POSITIVE_INFINITY;
  }

  async next(): Promise<Uint8Array | undefined> {
    this.#sent();
    for (;;) {
      if (this.#dropped) throw tooSlow();
      if (this.#closed || this.#atEnd()) return undefined;
      const wanted = this.#readable;
      if (this.#fill.failure) throw this.#fill.failure;
      if (wanted > 0) {
        const chunk = this.#share(wanted) ?? (await this.#stored(wanted));
        if (chunk) return chunk;
      } else if (this.#fill.complete) return undefined;
      else await this.#fill.progress();
    }
  }

  nextNow(): Uint8Array | undefined {
    this.#sent();
    if (this.#dropped || this.#closed || this.#fill.failure) return undefined;
    const wanted = this.#readable;
    return wanted > 0 ? this.#share(wanted) : undefined;
  }

  /** Who asks for more has sent what it was given. Who closes may not have. */
  #sent(): void {
    this.#lent?.release();
    this.#lent = undefined;
  }

  /** Bytes that it may have now. */
  get #readable(): number {
    const readable = this.#fill.readableEnd(this.#position);
    const end = this.#end === undefined ? readable : Math.min(readable, this.#end);
    return end - this.#position;
  }

  /** An empty body has no last byte to hold back: its end is. */
  #atEnd(): boolean {
    if (this.#end === undefined || this.#position < this.#end) return false;
    return this.#end > 0 || this.#fill.complete;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lent?.abandon();
    this.#lent = undefined;
    this.#fill.left(this);
  }

  /** It held back others for too long: its next read fails, visibly. */
  drop(): void {
    this.#dropped = true;
    this.#fill.left(this);
  }

  /** From memory, where it is there. */
  #share(wanted: number): Uint8Array | undefined {
    const piece = this.#fill.pieceAt(this.#position);
    if (piece === undefined) return undefined;
    this.#lent = piece.loan?.hold();
    const from = this.#position - piece.position;
    return this.#moved(piece.chunk.subarray(from, from + wanted));
  }

  /** From the store: with others, or alone; undefined when it was closed meanwhile. */
  async #stored(wanted: number): Promise<Uint8Array | undefined> {
    const loading = this.#fill.readers > few ? this.#fill.load(this.#position) : undefined;
    await loading;
    if (this.#closed) return undefined;
    return (loading && this.#share(wanted)) ?? this.#copy(wanted);
  }

  async #copy(wanted: number): Promise<Uint8Array> {
    const target = this.#buffer().subarray(0, wanted);
    return this.#moved(await this.#fill.readStored(this.#position, target));
  }

  #moved(chunk: Uint8Array): Uint8Array {
    this.#position += chunk.length;
    this.#fill.moved();
    return chunk;
  }

  #buffer(): Uint8Array {
    this.#scratch ??= Buffer.allocUnsafeSlow(
      this.#fill.readers <= few ? largeScratchBytes : scratchBytes,
    );
    return this.#scratch;
  }
}

/** Whether one of the readers is as near. */
export function isNear(readers: Iterable<FillReader>, position: number, bytes: number): boolean {
  for (const reader of readers) if (Math.abs(reader.position - position) <= bytes) return true;
  return false;
}

/** Whether one of the readers is about to read on from there, or comes to it. */
export function isAwaited(readers: Iterable<FillReader>, position: number): boolean {
  for (const reader of readers)
    if (reader.position <= position && reader.end > position) return true;
  return false;
}

/** Where the slowest of the readers is. */
export function slowest(readers: Iterable<FillReader>): number {
  return Math.min(...[...readers].map(({ position }) => position));
}

/** The slowest readers, where another one is so many bytes ahead of them. */
export function waitedFor(readers: readonly FillReader[], ahead: number): readonly FillReader[] {
  const positions = readers.map(({ position }) => position);
  const least = slowest(readers);
  const waits = positions.some((position) => position >= least + ahead);
  return waits ? readers.filter(({ position }) => position === least) : [];
}

function tooSlow(): GatewayError {
  return new GatewayError(
    'client_gone',
    'the client read too slowly for a body that is not stored',
    {
      origin: 'client',
    },
  );
}
