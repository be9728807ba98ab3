import { LRUCache } from 'lru-cache';
import type { ArtifactMeta, BodyRef } from '../../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../../core/body.ts';
import type { CacheLookups } from '../../core/cache-lookups.ts';
import type { BodyPieces } from '../body-pieces.ts';
import { emptyBody, isBodyRef, requireBodyRef, requireSize } from '../body-ref.ts';
import { readBytes } from '../bytes-reader.ts';
import type { MemoryStore } from '../memory-store.ts';
import { bodyMissing, storageFull } from '../storage-error.ts';
import type { Leftover, PartialBody, PurgeSelector, StoreHealth, StoreStats } from '../store.ts';
import { withVariant } from '../variants.ts';
import { BodyKeys } from './body-keys.ts';
import type { Piece } from './large-body.ts';
import { MemoryPartial, type MemoryPartialHost } from './memory-partial.ts';
import { MemoryPieces, type PieceKeeper } from './memory-pieces.ts';
import { bodySize, recordsSize } from './memory-space.ts';

const defaultMaxBodyBytes = 1024 * 1024;
/** Items that go at once when the bound sinks: a few milliseconds' worth. */
const itemsPerStep = 1_000;
const defaultPieceBytes = 512 * 1024;

export interface MemoryStoreOptions {
  /** Hard bound in bytes: records, bodies and partial bodies; 0 keeps nothing. */
  readonly maxBytes: number;
  /** Largest body in bytes; 1 MiB unless given, and never more than an eighth of `maxBytes`. */
  readonly maxBodyBytes?: number;
  /** Of the pieces of larger bodies; 512 KiB unless given, and never more than `maxBodyBytes`. */
  readonly pieceBytes?: number;
}

type Item = readonly ArtifactMeta[] | Uint8Array | Piece;

/** A store in memory: records and small bodies, least recently used out. */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  return new LruStore(options);
}

class LruStore implements MemoryStore, MemoryPartialHost, PieceKeeper {
  readonly maxBodyBytes: number;
  readonly pieceLookups: CacheLookups;
  readonly #maxBytes: number;
  #bound: number;
  /** Where the bound is on its way to. */
  #aim: number;
  #sinking = false;
  /** Records by key, bodies and pieces by digest in one order of use; no key looks like a digest. */
  readonly #items: LRUCache<string, Item>;
  readonly #keysOf = new BodyKeys();
  readonly #pieces: MemoryPieces;
  /** Shared, because a call without options makes an object each time. */
  readonly #getOptions = {};
  #entries = 0;
  #partialBytes = 0;
  #evictions = 0;

  constructor(options: MemoryStoreOptions) {
    this.#maxBytes = options.maxBytes;
    this.#bound = options.maxBytes;
    this.#aim = options.maxBytes;
    this.maxBodyBytes = Math.min(
      options.maxBodyBytes ?? defaultMaxBodyBytes,
      Math.floor(options.maxBytes / 8),
    );
    this.#items = new LRUCache({
      maxSize: Math.max(1, options.maxBytes),
      disposeAfter: (item, key, reason) => {
        if (reason === 'evict') this.#evictions++;
        if ('body' in item) this.#pieces.released(item);
        else if (isRecords(item)) this.#released(key, item, reason === 'set');
      },
    });
    const pieceBytes = Math.min(options.pieceBytes ?? defaultPieceBytes, this.maxBodyBytes);
    this.#pieces = new MemoryPieces(this, Math.max(1, pieceBytes));
    this.pieceLookups = this.#pieces.lookups;
  }

  get bound(): number {
    return this.#bound;
  }

  setBound(bytes: number): void {
    this.#aim = Math.min(bytes, this.#maxBytes);
    if (this.#aim >= this.#bound) this.#bound = this.#aim;
    else if (!this.#sinking) this.#sink();
  }

  peek(key: string): readonly ArtifactMeta[] | undefined {
    const item = this.#items.get(key, this.#getOptions);
    return item && isRecords(item) ? item : undefined;
  }

  async get(key: string): Promise<readonly ArtifactMeta[]> {
    return this.peek(key) ?? [];
  }

  async put(key: string, meta: ArtifactMeta): Promise<void> {
    requireBodyRef(meta.body);
    if (meta.body.size > 0 && !this.#items.has(meta.body.sha256)) {
      throw bodyMissing('a record needs its body to be stored before it');
    }
    if (!this.#set(key, withVariant(this.peek(key) ?? [], meta))) {
      throw storageFull('the memory tier cannot take the record');
    }
  }

  peekBody(body: BodyRef): Uint8Array | undefined {
    if (body.size === 0) return emptyBody;
    const item = this.#items.get(body.sha256, this.#getOptions);
    return item instanceof Uint8Array && item.length === body.size ? item : undefined;
  }

  peekReader(): undefined {
    return undefined;
  }

  peekPart(): undefined {
    return undefined;
  }

  async openBody(body: BodyRef, range?: ByteRange): Promise<BodyReader | undefined> {
    const bytes = this.peekBody(body);
    if (bytes) return readBytes(bytes, range);
    this.forgetBody(body);
    return undefined;
  }

  async begin(size: number | undefined): Promise<PartialBody> {
    requireSize(size);
    const reserved = size ?? 0;
    if (reserved > this.maxBodyBytes || !this.reserve(0, reserved)) {
      throw storageFull('the memory tier cannot take a body of this size');
    }
    return new MemoryPartial(this, size, reserved);
  }

  async leftovers(): Promise<readonly Leftover[]> {
    return [];
  }

  async delete(key: string): Promise<boolean> {
    return this.peek(key) !== undefined && this.#items.delete(key);
  }

  async purge(selector: PurgeSelector): Promise<number> {
    if ('key' in selector) return (await this.delete(selector.key)) ? 1 : 0;
    const keys: string[] = [];
    for (const [key, item] of this.#items.entries()) {
      if (!isRecords(item)) continue;
      const selected =
        'prefix' in selector
          ? key.startsWith(selector.prefix)
          : item.some((meta) => meta.mount === selector.mount);
      if (selected) keys.push(key);
    }
    for (const key of keys) this.#items.delete(key);
    return keys.length;
  }

  stats(): StoreStats {
    return {
      name: 'memory',
      entries: this.#entries,
      bytes: this.#used,
      maxBytes: this.#maxBytes,
      partialBytes: this.#partialBytes,
      evictions: this.#evictions,
    };
  }

  health(): StoreHealth {
    return { ok: true };
  }

  async close(): Promise<void> {
    // Not `clear`: each record lets its body go, and all of them at once would do that in each other.
    while (this.#items.pop() !== undefined);
  }

  setRecords(key: string, variants: readonly ArtifactMeta[]): void {
    // A list that does not fit must not leave an older one behind.
    if (variants.length === 0 || !this.#set(key, variants)) this.#items.delete(key);
  }

  addBody(body: BodyRef, bytes: Uint8Array): void {
    if (!isBodyRef(body) || body.size === 0 || body.size > this.maxBodyBytes) return;
    if (!this.#keysOf.has(body.sha256) || bytes.length !== body.size) return;
    if (this.#items.has(body.sha256) || !this.#makeRoom(bodySize(body.size))) return;
    this.#items.set(body.sha256, bytes, { size: bodySize(body.size) });
  }

  pieces(body: BodyRef): BodyPieces | undefined {
    const large = body.size > this.maxBodyBytes && this.#keysOf.has(body.sha256);
    return large ? this.#pieces.of(body) : undefined;
  }

  addPiece(piece: Piece): boolean {
    const size = bodySize(piece.bytes.length);
    if (!this.#makeRoom(size)) return false;
    this.#items.set(piece.key, piece, { size });
    this.usePiece(piece);
    return true;
  }

  usePiece({ key, body }: Piece): void {
    this.#items.get(key, this.#getOptions);
    // A record that went before the pieces would take all of them along.
    for (const name of this.#keysOf.of(body.sha256)) this.#items.get(name, this.#getOptions);
  }

  removePiece({ key }: Piece): void {
    this.#items.delete(key);
  }

  forgetBody(body: BodyRef): void {
    for (const key of this.#keysOf.of(body.sha256)) {
      const rest = (this.peek(key) ?? []).filter((meta) => meta.body.sha256 !== body.sha256);
      this.setRecords(key, rest);
    }
  }

  forgetWithoutBodies(key: string): void {
    const bodiless = this.peek(key)?.some(
      ({ body }) => body.size > 0 && !this.#items.has(body.sha256),
    );
    if (bodiless) this.#items.delete(key);
  }

  reserve(from: number, to: number): boolean {
    if (to > from && !this.#makeRoom(to - from)) return false;
    this.#partialBytes += to - from;
    return true;
  }

  commit(key: string, meta: ArtifactMeta, bytes: Uint8Array, reserved: number): void {
    const variants = withVariant(this.peek(key) ?? [], meta);
    const needed = recordsSize(key, variants) + bodySize(bytes.length);
    if (!this.#makeRoom(needed - reserved)) {
      throw storageFull('the memory tier cannot take the response');
    }
    this.#partialBytes -= reserved;
    if (bytes.length > 0) {
      this.#items.set(meta.body.sha256, bytes, { size: bodySize(bytes.length) });
    }
    this.#set(key, variants);
  }

  #set(key: string, variants: readonly ArtifactMeta[]): boolean {
    const size = recordsSize(key, variants);
    if (!this.#makeRoom(size)) return false;
    if (!this.#items.has(key)) this.#entries++;
    for (const { body } of variants) {
      if (body.size > 0) this.#keysOf.add(body.sha256, key);
    }
    this.#items.set(key, variants, { size });
    return true;
  }

  /** A list of variants is gone or was replaced: bodies that no record names any more go too. */
  #released(key: string, variants: readonly ArtifactMeta[], replaced: boolean): void {
    if (!replaced) this.#entries--;
    const current = this.#items.peek(key);
    const kept = current && isRecords(current) ? current : undefined;
    for (const { body } of variants) {
      if (kept?.some((meta) => meta.body.sha256 === body.sha256)) continue;
      if (!this.#keysOf.remove(body.sha256, key)) continue;
      this.#items.delete(body.sha256);
      this.#pieces.forget(body.sha256);
    }
  }

  get #used(): number {
    return this.#items.calculatedSize + this.#partialBytes;
  }

  #makeRoom(bytes: number): boolean {
    // What cannot fit costs nobody else a place.
    if (bytes > 0 && this.#partialBytes + bytes > this.#bound) return false;
    while (this.#used + bytes > this.#bound) {
      if (this.#items.pop() === undefined) return false;
    }
    return true;
  }

  #sink(): void {
    let empty = false;
    for (let i = 0; i < itemsPerStep && !empty && this.#used > this.#aim; i++) {
      empty = this.#items.pop() === undefined;
    }
    // Partial bodies end by themselves.
    this.#bound = empty ? this.#aim : Math.max(this.#aim, Math.min(this.#bound, this.#used));
    this.#pieces.trim();
    this.#sinking = this.#bound > this.#aim;
    if (this.#sinking) setImmediate(() => this.#sink());
  }
}

function isRecords(item: Item): item is readonly ArtifactMeta[] {
  return Array.isArray(item);
}
