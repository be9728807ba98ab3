import type { LargeSlabs } from './large-slabs.ts';

const smallest = 16 * 1024;
const largest = 256 * 1024;
/** Reads in a row that use little of a large buffer, until there is a smaller one. */
const patience = 8;
/** Memory that was read full and may come back. */
const remembered = 8;
/** Memory that has come back and waits: several come back at once where a reader catches up. */
const spare = 3;

/** Memory that several reads share. */
interface Slab {
  readonly memory: Buffer;
  used: number;
  /** Bytes that somebody may still look at. */
  lent: number;
  /** Those of them that are of bodies. */
  ofBodies: number;
  /** It is one of those that all connections share. */
  readonly shared: boolean;
}

/** A slab that was read full: only who has bytes of it keeps its memory. */
interface FullSlab {
  readonly memory: WeakRef<ArrayBufferLike>;
  lent: number;
  ofBodies: number;
  readonly shared: boolean;
}

/**
 * Where a socket reads to: each read goes behind the one before, so that bytes are copied nowhere and
 * what is allocated is what was read. Memory whose bytes have all come back is read into once more;
 * what is kept for good is garbage in time, and never read over. Slabs grow while reads fill them,
 * because each read costs the same and Node's own ones end at 64 KiB, and shrink when they do not, so
 * that an idle connection holds little. Where a read fills a whole one of them, the next is one of the
 * few that all connections share, if there is one.
 */
export class ReadBuffer {
  readonly #large: LargeSlabs | undefined;
  readonly #name = Symbol();
  #size = smallest;
  #slab: Slab | undefined;
  /** Slabs that were read full. */
  #full: FullSlab[] = [];
  /** All of the size that is read into now. A collection takes it: the connection may be idle. */
  #spare: WeakRef<ArrayBufferLike>[] = [];
  /** Reads in a row that used little. */
  #poor = 0;
  /** The last read was as long as one can be without a large slab. */
  #pours = false;

  constructor(large?: LargeSlabs) {
    this.#large = large;
  }

  /** The memory for the next read. */
  target(): Buffer {
    const { memory, used } = this.#withRoom();
    return memory.subarray(used);
  }

  /** The `length` bytes that were read, to be kept by whoever wants: they keep the memory around them. */
  take(length: number): Buffer {
    const slab = this.#withRoom();
    const { memory, used } = slab;
    slab.used += length;
    slab.lent += length;
    if (slab.used === memory.length) this.#grow();
    this.#pours = length >= largest;
    this.#poor = length < this.#size / 16 ? this.#poor + 1 : 0;
    if (this.#poor >= patience && this.#size > smallest) {
      this.#size = Math.max(smallest, this.#size / 4);
      this.#poor = 0;
      this.#slab = undefined;
      this.#spare = [];
      this.#full = [];
    }
    return memory.subarray(used, used + length);
  }

  /** Bytes from `take` that are of a body: whoever gets them may give them back. */
  lend({ buffer, length }: Uint8Array): void {
    const slab = buffer === this.#slab?.memory.buffer ? this.#slab : this.#fullOf(buffer);
    if (slab) slab.ofBodies += length;
  }

  /** Bytes that were lent, each of them once: nobody looks at them any more. */
  giveBack({ buffer, length }: Uint8Array): void {
    const current = buffer === this.#slab?.memory.buffer ? this.#slab : undefined;
    const full = current ? undefined : this.#fullOf(buffer);
    const slab = current ?? full;
    if (slab === undefined) return;
    slab.ofBodies -= length;
    slab.lent -= length;
    // The socket has the current one for its next read already.
    if (full) this.#reuse(full);
  }

  /** All that was read is parsed: what of it is no body, such as heads, nobody looks at any more. */
  parsed(): void {
    if (this.#slab) this.#slab.lent = this.#slab.ofBodies;
    if (this.#full.length === 0) return;
    for (const slab of [...this.#full]) {
      slab.lent = slab.ofBodies;
      this.#reuse(slab);
    }
  }

  #grow(): void {
    if (this.#size === largest) return;
    this.#size = Math.min(this.#size * 4, largest);
    this.#spare = [];
  }

  #withRoom(): Slab {
    const slab = this.#slab;
    // A read into the last few bytes would cost as much as one into many.
    if (slab && slab.memory.length - slab.used >= slab.memory.length / 8) return slab;
    if (slab && slab.lent > 0) this.#leave(slab);
    else if (slab) this.#keep(slab.memory, slab.shared);
    const large = this.#pours ? this.#large?.take(this.#name) : undefined;
    const memory = large ?? this.#takeSpare() ?? Buffer.allocUnsafeSlow(this.#size);
    this.#slab = { memory, used: 0, lent: 0, ofBodies: 0, shared: large !== undefined };
    return this.#slab;
  }

  /** Reads no more into it: it may come back. */
  #leave({ memory, ...rest }: Slab): void {
    this.#full.push({ ...rest, memory: new WeakRef(memory.buffer) });
    if (this.#full.length > remembered) this.#full.shift();
  }

  #fullOf(buffer: ArrayBufferLike): FullSlab | undefined {
    return this.#full.find(({ memory }) => memory.deref() === buffer);
  }

  #reuse(slab: FullSlab): void {
    if (slab.lent > 0) return;
    this.#full.splice(this.#full.indexOf(slab), 1);
    const memory = slab.memory.deref();
    if (memory) this.#keep(Buffer.from(memory), slab.shared);
  }

  #keep(memory: Buffer, shared: boolean): void {
    if (shared) this.#large?.giveBack(memory);
    else if (memory.length === this.#size && this.#spare.length < spare) {
      this.#spare.push(new WeakRef(memory.buffer));
    }
  }

  #takeSpare(): Buffer | undefined {
    for (let one = this.#spare.pop(); one; one = this.#spare.pop()) {
      const memory = one.deref();
      if (memory) return Buffer.from(memory);
    }
    return undefined;
  }
}
