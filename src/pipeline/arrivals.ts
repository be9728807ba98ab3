import type { ByteRange } from '../core/body.ts';
import { RangeSet } from '../policy/byte-range.ts';

/** Which bytes of a body have arrived. Positions are from 0; ends are exclusive. */
export class Arrivals {
  readonly #size: number | undefined;
  readonly #present = new RangeSet();

  /** `size`: of the whole body, when it is known. */
  constructor(size: number | undefined) {
    this.#size = size;
  }

  /** How many bytes have arrived. */
  get bytes(): number {
    return this.#present.bytes;
  }

  add(position: number, length: number): void {
    this.#present.add({ first: position, last: position + length - 1 });
  }

  /** First byte from `position` on that has not arrived. */
  upTo(position: number): number {
    return this.#present.runEnd(position);
  }

  /** First position from `position` on that has arrived; infinity where none has or the size is unknown. */
  nextAfter(position: number): number {
    const size = this.#size;
    if (size === undefined || position >= size) return size ?? Number.POSITIVE_INFINITY;
    const gap = this.#present.missing({ first: position, last: size - 1 })[0];
    return gap?.first === position ? gap.last + 1 : position;
  }

  /** What has not arrived, in order; empty where the size is unknown. */
  missing(): readonly ByteRange[] {
    const size = this.#size;
    return size === undefined || size === 0
      ? []
      : this.#present.missing({ first: 0, last: size - 1 });
  }
}
