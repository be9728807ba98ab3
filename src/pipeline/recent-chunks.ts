interface Piece {
  readonly position: number;
  readonly chunk: Uint8Array;
}

/**
 * The latest pieces of a growing body, in the order they arrived, so that readers in step with the
 * fill share one copy and touch no file. The owner bounds `bytes` by dropping.
 */
export class RecentChunks {
  #pieces: Piece[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(position: number, chunk: Uint8Array): void {
    this.#pieces.push({ position, chunk });
    this.#bytes += chunk.length;
  }

  /** Whether it was pushed last and is still here. */
  endsWith(chunk: Uint8Array): boolean {
    return this.#pieces.at(-1)?.chunk === chunk;
  }

  /** The bytes from `position` to the end of the piece that holds it; undefined when none does. */
  from(position: number): Uint8Array | undefined {
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const { position: start, chunk } = this.#pieces[i] as Piece;
      if (position >= start && position < start + chunk.length)
        return chunk.subarray(position - start);
    }
    return undefined;
  }

  /** Lets the oldest pieces go until at most `limit` bytes are left. */
  trimTo(limit: number): void {
    while (this.#bytes > limit) this.#shift();
  }

  /** Lets go what ends at or before `position`. */
  dropBefore(position: number): void {
    while (this.#pieces[0] && this.#pieces[0].position + this.#pieces[0].chunk.length <= position) {
      this.#shift();
    }
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }

  #shift(): void {
    this.#bytes -= this.#pieces.shift()?.chunk.length ?? 0;
  }
}
