/** Neighbouring bytes that wait to be written. */
export class Block {
  readonly position: number;
  readonly memory: Uint8Array;
  /** Bytes of `memory` that are in use. */
  length: number;

  /** `length`: what is in it already. */
  constructor(position: number, memory: Uint8Array, length = 0) {
    this.position = position;
    this.memory = memory;
    this.length = length;
  }

  get end(): number {
    return this.position + this.length;
  }

  get chunk(): Uint8Array {
    return this.memory.subarray(0, this.length);
  }
}

/** The most that one write takes. */
const runBytes = 1024 * 1024;
/** The memory of a block: little for a small body, more for what follows. */
const smallest = 64 * 1024;
const largest = 256 * 1024;
/** Blocks whose memory is kept for others while files are written, and while none is. */
const spareInUse = 64;
const spareAtRest = 16;

/**
 * Memory of blocks that were written, for others; one for all files of a store. What is not kept is
 * freed at once: a collection of garbage may come after hundreds of such blocks.
 */
export class SpareBlocks {
  readonly #memory: Uint8Array[] = [];
  #users = 0;

  /** Somebody may take some, until `leave`. */
  join(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    for (const memory of this.#memory.splice(spareAtRest)) free(memory);
  }

  take(): Uint8Array | undefined {
    return this.#memory.pop();
  }

  /** Nobody looks at it any more. */
  give(memory: Uint8Array): void {
    const most = this.#users > 0 ? spareInUse : spareAtRest;
    if (memory.length === largest && this.#memory.length < most) this.#memory.push(memory);
    else free(memory);
  }
}

function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Bytes that are not on the medium yet, by position; they do not overlap. They are copied into blocks
 * whose memory serves again and again: a copy costs less than the garbage of kept chunks would.
 */
export class Backlog {
  /** Somebody else's memory, which is never used again here. */
  #adopted: Uint8Array | undefined;
  readonly #blocks: Block[] = [];
  readonly #spare: SpareBlocks;
  #size = smallest;
  #bytes = 0;
  /** Where the last run ended: the next one begins after it, so that no place waits for ever. */
  #sweep = 0;
  #ended = false;
  /** Blocks up to this position are being written, from this one on. */
  #writing = { from: 0, to: 0 };

  constructor(spareBlocks = new SpareBlocks()) {
    this.#spare = spareBlocks;
    spareBlocks.join();
  }

  /** Nothing more comes, and nothing that is here needs to be written. */
  end(): void {
    if (!this.#ended) this.#spare.leave();
    this.#ended = true;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(position: number, chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    let index = this.#after(position) - 1;
    for (let done = 0; done < chunk.length; ) {
      const at = position + done;
      let block = this.#blocks[index];
      if (block?.end !== at || block.length === block.memory.length || this.#isWriting(block)) {
        index += 1;
        block = new Block(at, this.#memory());
        this.#blocks.splice(index, 0, block);
      }
      const part = chunk.subarray(done, done + block.memory.length - block.length);
      block.memory.set(part, block.length);
      block.length += part.length;
      done += part.length;
    }
  }

  /** Takes all there will be, without a copy: nobody may change it. */
  adopt(whole: Uint8Array): void {
    this.#adopted = whole;
    this.#bytes = whole.length;
    this.#blocks.push(new Block(0, whole, whole.length));
  }

  /** Whether there is something to write below `limit`. */
  has(limit: number): boolean {
    return this.#writable(0, limit);
  }

  /**
   * Neighbouring blocks to write at once, all below `limit`; undefined when there are none. They stay
   * as they are until `remove`, which comes before the next run.
   */
  nextRun(limit: number): readonly Block[] | undefined {
    let first = this.#after(this.#sweep - 1);
    if (!this.#writable(first, limit)) first = 0;
    if (!this.#writable(first, limit)) return undefined;
    const run: Block[] = [];
    const { position } = this.#blocks[first] as Block;
    let end = position;
    for (let i = first; this.#writable(i, limit); i++) {
      const block = this.#blocks[i] as Block;
      if (block.position !== end || (run.length > 0 && block.end - position > runBytes)) break;
      run.push(block);
      end = block.end;
    }
    this.#sweep = end;
    this.#writing = { from: position, to: end };
    return run;
  }

  /** Lets go of a run that was written: its memory is used again. */
  remove(run: readonly Block[]): void {
    const first = this.#after((run[0] as Block).position) - 1;
    this.#blocks.splice(first, run.length);
    this.#writing = { from: 0, to: 0 };
    for (const { length, memory } of run) {
      this.#bytes -= length;
      if (memory !== this.#adopted) this.#spare.give(memory);
    }
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

  #memory(): Uint8Array {
    const free = this.#size === largest ? this.#spare.take() : undefined;
    if (free) return free;
    const memory = Buffer.allocUnsafeSlow(this.#size);
    this.#size = Math.min(this.#size * 2, largest);
    return memory;
  }

  #isWriting({ position }: Block): boolean {
    return position >= this.#writing.from && position < this.#writing.to;
  }

  #writable(index: number, limit: number): boolean {
    const block = this.#blocks[index];
    return block !== undefined && block.end <= limit;
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
