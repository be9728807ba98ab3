export interface BufferPoolOptions {
  /** Size of a pooled buffer in bytes. */
  readonly chunkBytes: number;
  /** Pooled buffers that exist at most, in use or not. */
  readonly maxBuffers: number;
  /** Size of what is handed out beyond those, in bytes; it is not kept. */
  readonly spillBytes: number;
}

/**
 * Buffers for reading files. There are a bounded number of large ones; a reader that comes when all
 * are in use gets a small one of its own, so that many slow readers hold little each.
 */
export class BufferPool {
  readonly #options: BufferPoolOptions;
  readonly #idle: Buffer[] = [];
  #made = 0;

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** Pooled buffers that are in use. */
  get inUse(): number {
    return this.#made - this.#idle.length;
  }

  /** A buffer to read into; its former contents are still in it. Give it back with `give`. */
  take(): Buffer {
    return this.tryTake() ?? Buffer.allocUnsafeSlow(this.#options.spillBytes);
  }

  /** A pooled buffer, or undefined when all are in use: for reading ahead. */
  tryTake(): Buffer | undefined {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#made >= this.#options.maxBuffers) return undefined;
    this.#made++;
    return Buffer.allocUnsafeSlow(this.#options.chunkBytes);
  }

  /** Takes back what `take` or `tryTake` gave, once; nobody reads into it or from it any more. */
  give(buffer: Buffer): void {
    if (buffer.length !== this.#options.chunkBytes || this.inUse === 0) return;
    this.#idle.push(buffer);
  }
}
