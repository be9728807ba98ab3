import type { ByteRange } from '../core/body.ts';
import { RangeSet } from '../policy/byte-range.ts';

/** Which bytes of a body have arrived. Positions are from 0; ends are exclusive. */
export class Arrivals {
  readonly #size: number | undefined;
  readonly #present = new RangeSet();
  /** What an earlier fill left, and is still to be checked; by first position. */
  #claims: Map<number, ByteRange> | undefined;
  /** What nobody is to bring: what is here or claimed. Without claims the same set as `#present`. */
  #taken = this.#present;
  #brought = 0;

  /** `size`: of the whole body, when it is known. */
  constructor(size: number | undefined) {
    this.#size = size;
  }

  /** How many bytes are here. */
  get bytes(): number {
    return this.#present.bytes;
  }

  /** How many of those were brought since. */
  get brought(): number {
    return this.#brought;
  }

  /** Whether something that was left is still to be checked. */
  get claimed(): boolean {
    return this.#claims !== undefined && this.#claims.size > 0;
  }

  add(position: number, length: number): void {
    const range = { first: position, last: position + length - 1 };
    this.#brought += length;
    this.#present.add(range);
    if (this.#taken !== this.#present) this.#taken.add(range);
  }

  /** These need not be brought if they turn out to be right. */
  claim(pieces: readonly ByteRange[]): void {
    this.#claims ??= new Map();
    for (const piece of pieces) this.#claims.set(piece.first, piece);
    this.#retake();
  }

  /** A claimed piece is here; or, not being right, missing. */
  checked(piece: ByteRange, intact: boolean): void {
    this.#claims?.delete(piece.first);
    if (intact) this.#present.add(piece);
    if (!intact || !this.claimed) this.#retake();
  }

  /** First byte from `position` on that is not here. */
  upTo(position: number): number {
    return this.#present.runEnd(position);
  }

  /** First byte from `position` on that somebody has to bring. */
  takenUpTo(position: number): number {
    return this.#taken.runEnd(position);
  }

  /**
   * First position from `position` on that nobody is to bring; infinity where there is none or the
   * size is unknown.
   */
  nextAfter(position: number): number {
    const size = this.#size;
    if (size === undefined || position >= size) return size ?? Number.POSITIVE_INFINITY;
    const gap = this.#taken.missing({ first: position, last: size - 1 })[0];
    return gap?.first === position ? gap.last + 1 : position;
  }

  /** What somebody has to bring, in order; empty where the size is unknown. */
  missing(): readonly ByteRange[] {
    const size = this.#size;
    return size === undefined || size === 0
      ? []
      : this.#taken.missing({ first: 0, last: size - 1 });
  }

  /** The gap that holds `position`, from there on. */
  gapAt(position: number): ByteRange | undefined {
    const gap = this.missing().find(({ first, last }) => position >= first && position <= last);
    return gap && { first: position, last: gap.last };
  }

  #retake(): void {
    this.#taken = this.#present;
    if (!this.claimed) return;
    this.#taken = new RangeSet();
    for (const range of this.#present.ranges()) this.#taken.add(range);
    for (const piece of this.#claims?.values() ?? []) this.#taken.add(piece);
  }
}
