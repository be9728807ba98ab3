const smallest = 16 * 1024;
const largest = 256 * 1024;

/**
 * Where a socket reads to: memory that grows while reads fill it, because each read costs the same
 * and Node's own ones end at 64 KiB, and shrinks when they do not, so that an idle connection holds
 * little. A buffer that was given away is never read into again.
 */
export class ReadBuffer {
  #size = smallest;
  #buffer: Buffer | undefined;

  /** The memory for the next read. */
  target(): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(this.#size);
    return this.#buffer;
  }

  /** The `length` bytes that were read, to be kept by whoever wants; at most half of it is waste. */
  take(length: number): Buffer {
    const buffer = this.target();
    if (length === buffer.length) this.#size = Math.min(buffer.length * 4, largest);
    if (length > buffer.length / 2) {
      this.#buffer = undefined;
      return buffer.subarray(0, length);
    }
    const copy = Buffer.allocUnsafeSlow(length);
    buffer.copy(copy, 0, 0, length);
    if (buffer.length > smallest) {
      this.#size = buffer.length / 4;
      this.#buffer = undefined;
    }
    return copy;
  }
}
