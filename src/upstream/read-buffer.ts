const smallest = 16 * 1024;
const largest = 256 * 1024;
/** Reads in a row that use little of a large buffer, until there is a smaller one. */
const patience = 8;

/**
 * Where a socket reads to: each read goes behind the one before, into memory that many reads share,
 * so that bytes are copied nowhere and what is allocated is what was read. The memory grows while
 * reads fill it, because each read costs the same and Node's own ones end at 64 KiB, and shrinks when
 * they do not, so that an idle connection holds little. Bytes that were given away are never read over.
 */
export class ReadBuffer {
  #size = smallest;
  #buffer: Buffer | undefined;
  #used = 0;
  /** Reads in a row that used little. */
  #poor = 0;

  /** The memory for the next read. */
  target(): Buffer {
    // A read into the last few bytes would cost as much as one into many.
    if (this.#buffer === undefined || this.#buffer.length - this.#used < this.#buffer.length / 8) {
      this.#buffer = Buffer.allocUnsafeSlow(this.#size);
      this.#used = 0;
    }
    return this.#buffer.subarray(this.#used);
  }

  /** The `length` bytes that were read, to be kept by whoever wants: they keep the memory around them. */
  take(length: number): Buffer {
    const target = this.target();
    this.#used += length;
    if (length === target.length) this.#size = Math.min(this.#size * 4, largest);
    this.#poor = length < this.#size / 16 ? this.#poor + 1 : 0;
    if (this.#poor >= patience && this.#size > smallest) {
      this.#size /= 4;
      this.#poor = 0;
      this.#buffer = undefined;
    }
    return target.subarray(0, length);
  }
}
