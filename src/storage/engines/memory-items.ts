import { LRUCache } from 'lru-cache';
import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import type { Held } from '../../core/held.ts';
import type { Piece } from './large-body.ts';

/** Items that go at once when the bound sinks: a few milliseconds' worth. */
const itemsPerStep = 1_000;
/** A turn is over when as many bytes came in as this part of the bound. */
const turnShare = 1 / 64;

type Records = readonly ArtifactMeta[];

/** All variants of a key, for as long as they are here. */
export class HeldRecords implements Held<Records> {
  value: Records | undefined;

  constructor(value: Records) {
    this.value = value;
  }
}

/** The bytes of a body, for as long as they are here. */
export class HeldBody implements Held<Uint8Array> {
  value: Uint8Array | undefined;

  constructor(value: Uint8Array) {
    this.value = value;
  }
}

export type Item = HeldRecords | HeldBody | Piece;

export interface ItemsListener {
  /** It is not here any more: another one is, where it was replaced. */
  gone(item: Item, key: string, replaced: boolean): void;
  /** The bound has sunk. */
  sunk(): void;
}

/**
 * Records by key, bodies and pieces by digest in one order of use, least recently used out, under one
 * hard bound of bytes, that of what is on its way in included. No key looks like a digest.
 */
export class MemoryItems {
  readonly maxBytes: number;
  readonly #items: LRUCache<string, Item>;
  readonly #listener: ItemsListener;
  /** Shared, because a call without options makes an object each time. */
  readonly #getOptions = {};
  #bound: number;
  /** Where the bound is on its way to. */
  #aim: number;
  #sinking = false;
  #reserved = 0;
  #evictions = 0;
  #turn = 0;
  #cameInTurn = 0;

  constructor(maxBytes: number, listener: ItemsListener) {
    this.maxBytes = maxBytes;
    this.#bound = maxBytes;
    this.#aim = maxBytes;
    this.#listener = listener;
    this.#items = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      disposeAfter: (item, key, reason) => {
        if (reason === 'evict') this.#evictions++;
        listener.gone(item, key, reason === 'set');
      },
    });
  }

  get bound(): number {
    return this.#bound;
  }

  get evictions(): number {
    return this.#evictions;
  }

  /** Bytes that are held for what is on its way in. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Bytes, reserved ones included. */
  get used(): number {
    return this.#items.calculatedSize + this.#reserved;
  }

  /** Advances as bytes come in, each time after a small part of the bound: it is then that the order matters. */
  get turn(): number {
    return this.#turn;
  }

  /** Another bound: a lower one is reached in steps, oldest items first. */
  setBound(bytes: number): void {
    this.#aim = Math.min(bytes, this.maxBytes);
    if (this.#aim >= this.#bound) this.#bound = this.#aim;
    else if (!this.#sinking) this.#sink();
  }

  /** The item, which is used now. */
  use(key: string): Item | undefined {
    return this.#items.get(key, this.#getOptions);
  }

  peek(key: string): Item | undefined {
    return this.#items.peek(key);
  }

  has(key: string): boolean {
    return this.#items.has(key);
  }

  entries(): Iterable<[string, Item]> {
    return this.#items.entries();
  }

  /** Room of `size` bytes is made before. */
  set(key: string, item: Item, size: number): void {
    this.#cameInTurn += size;
    if (this.#cameInTurn > turnShare * this.#bound) {
      this.#cameInTurn = 0;
      this.#turn += 1;
    }
    this.#items.set(key, item, { size });
  }

  delete(key: string): boolean {
    return this.#items.delete(key);
  }

  /** One by one: each record lets its body go, and all of them at once would do that in each other. */
  clear(): void {
    while (this.#items.pop() !== undefined);
  }

  /** Sets the bytes that something holds from one amount to another; false when they do not fit. */
  reserve(from: number, to: number): boolean {
    if (to > from && !this.makeRoom(to - from)) return false;
    this.#reserved += to - from;
    return true;
  }

  makeRoom(bytes: number): boolean {
    // What cannot fit costs nobody else a place.
    if (bytes > 0 && this.#reserved + bytes > this.#bound) return false;
    while (this.used + bytes > this.#bound) {
      if (this.#items.pop() === undefined) return false;
    }
    return true;
  }

  #sink(): void {
    let empty = false;
    for (let i = 0; i < itemsPerStep && !empty && this.used > this.#aim; i++) {
      empty = this.#items.pop() === undefined;
    }
    // What is reserved ends by itself.
    this.#bound = empty ? this.#aim : Math.max(this.#aim, Math.min(this.#bound, this.used));
    this.#listener.sunk();
    this.#sinking = this.#bound > this.#aim;
    if (this.#sinking) setImmediate(() => this.#sink());
  }
}
