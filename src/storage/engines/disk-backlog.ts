export interface Block {
  readonly position: number;
  readonly chunk: Uint8Array;
}

/** The most that one write takes: bytes and pieces. */
const runBytes = 1024 * 1024;
const runBlocks = 256;

/** Chunks that are not on the medium yet, by position; they do not overlap. */
export class Backlog {
  readonly #blocks: Block[] = [];
  #bytes = 0;
  /** Where the last run ended: the next one begins after it, so that no place waits for ever. */
  #sweep = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(position: number, chunk: Uint8Array): void {
    const last = this.#blocks.at(-1);
    if (!last || last.position < position) this.#blocks.push({ position, chunk });
    else this.#blocks.splice(this.#after(position), 0, { position, chunk });
    this.#bytes += chunk.length;
  }

  /** Whether there is something to write below `limit`. */
  has(limit: number): boolean {
    return this.#writable(0, limit);
  }

  /** Neighbouring blocks to write at once, all below `limit`; undefined when there are none. */
  nextRun(limit: number): readonly Block[] | undefined {
    let first = this.#after(this.#sweep - 1);
    if (!this.#writable(first, limit)) first = 0;
    if (!this.#writable(first, limit)) return undefined;
    const run: Block[] = [];
    let end = (this.#blocks[first] as Block).position;
    let bytes = 0;
    for (let i = first; this.#writable(i, limit) && run.length < runBlocks; i++) {
      const block = this.#blocks[i] as Block;
      if (block.position !== end || (bytes > 0 && bytes + block.chunk.length > runBytes)) break;
      run.push(block);
      end += block.chunk.length;
      bytes += block.chunk.length;
    }
    this.#sweep = end;
    return run;
  }

  /** Lets go of a run that was written. */
  remove(run: readonly Block[]): void {
    const first = this.#after((run[0] as Block).position) - 1;
    this.#blocks.splice(first, run.length);
    for (const block of run) this.#bytes -= block.chunk.length;
  }

  /** Copies from `position` on what is here without a gap; how much, 0 when that byte is not here. */
  read(position: number, target: Uint8Array): number {
    let done = 0;
    for (let i = this.#after(position) - 1; i >= 0 && i < this.#blocks.length; i++) {
      const { position: start, chunk } = this.#blocks[i] as Block;
      const offset = position + done - start;
      if (offset < 0 || offset >= chunk.length || done === target.length) break;
      const part = chunk.subarray(offset, offset + target.length - done);
      target.set(part, done);
      done += part.length;
    }
    return done;
  }

  /** Position of the first block after `position`; infinity when there is none. */
  nextAfter(position: number): number {
    return this.#blocks[this.#after(position)]?.position ?? Number.POSITIVE_INFINITY;
  }

  #writable(index: number, limit: number): boolean {
    const block = this.#blocks[index];
    return block !== undefined && block.position + block.chunk.length <= limit;
  }

  /** Index of the first block that starts after `position`. */
  #after(position: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle] as Block).position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
