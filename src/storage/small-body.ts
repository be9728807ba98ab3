import type { Extents } from './extents.ts';

const firstBytes = 4096;

/** The bytes of a small body while it arrives, in one buffer of its own. */
export class SmallBody {
  #buffer: Buffer;
  readonly #limit: number;

  /** `size` bytes when that is known; otherwise it grows up to `limit` bytes. */
  constructor(size: number | undefined, limit: number) {
    this.#buffer = Buffer.allocUnsafeSlow(size ?? Math.min(firstBytes, limit));
    this.#limit = limit;
  }

  /** Copies the chunk to its place, which must be below the limit. */
  write(position: number, chunk: Uint8Array): void {
    const end = position + chunk.length;
    if (end > this.#buffer.length) this.#growTo(Math.min(this.#limit, Math.max(end, end * 2)));
    this.#buffer.set(chunk, position);
  }

  /** Copies from `position` as much as there is in `extents` and room in `target`; how much. */
  read(position: number, target: Uint8Array, extents: Extents): number {
    const end = Math.min(extents.endFrom(position), position + target.length);
    return this.#buffer.copy(target, 0, position, end);
  }

  /** The first `size` bytes, without more memory behind them; nothing may be written afterwards. */
  whole(size: number): Uint8Array {
    if (this.#buffer.length !== size) this.#growTo(size);
    return this.#buffer;
  }

  /** The bytes between two positions, shared. */
  part(start: number, end: number): Uint8Array {
    return this.#buffer.subarray(start, end);
  }

  #growTo(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(larger, 0, 0, Math.min(size, this.#buffer.length));
    this.#buffer = larger;
  }
}
