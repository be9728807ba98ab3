import type { ArtifactMeta, BodyRef } from '../../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../../core/body.ts';
import type { CacheLookups } from '../../core/cache-lookups.ts';
import type { Held } from '../../core/held.ts';
import type { BodyPieces } from '../body-pieces.ts';
import { emptyBody, isBodyRef, requireBodyRef, requireSize } from '../body-ref.ts';
import { readBytes } from '../bytes-reader.ts';
import type { MemoryStore } from '../memory-store.ts';
import { bodyMissing, storageFull } from '../storage-error.ts';
import type { Leftover, PartialBody, PurgeSelector, StoreHealth, StoreStats } from '../store.ts';
import { withVariant } from '../variants.ts';
import { BodyKeys } from './body-keys.ts';
import type { Piece } from './large-body.ts';
import { HeldBody, HeldRecords, type Item, MemoryItems } from './memory-items.ts';
import { MemoryPartial, type MemoryPartialHost } from './memory-partial.ts';
import { MemoryPieces, type PieceKeeper } from './memory-pieces.ts';
import { bodySize, recordsSize } from './memory-space.ts';

const defaultMaxBodyBytes = 1024 * 1024;
const heldEmptyBody = new HeldBody(emptyBody);
const defaultPieceBytes = 512 * 1024;

export interface MemoryStoreOptions {
  /** Hard bound in bytes: records, bodies and partial bodies; 0 keeps nothing. */
  readonly maxBytes: number;
  /** Largest body in bytes; 1 MiB unless given, and never more than an eighth of `maxBytes`. */
  readonly maxBodyBytes?: number;
  /** Of the pieces of larger bodies; 512 KiB unless given, and never more than `maxBodyBytes`. */
  readonly pieceBytes?: number;
}

/** A store in memory: records and small bodies, least recently used out. */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  return new LruStore(options);
}

class LruStore implements MemoryStore, MemoryPartialHost, PieceKeeper {
  readonly maxBodyBytes: number;
  readonly pieceLookups: CacheLookups;
  readonly #items: MemoryItems;
  readonly #keysOf = new BodyKeys();
  readonly #pieces: MemoryPieces;
  #entries = 0;

  constructor(options: MemoryStoreOptions) {
    this.maxBodyBytes = Math.min(
      options.maxBodyBytes ?? defaultMaxBodyBytes,
      Math.floor(options.maxBytes / 8),
    );
    this.#items = new MemoryItems(options.maxBytes, {
      gone: (item, key, replaced) => this.#gone(item, key, replaced),
      sunk: () => this.#pieces.trim(),
    });
    const pieceBytes = Math.min(options.pieceBytes ?? defaultPieceBytes, this.maxBodyBytes);
    this.#pieces = new MemoryPieces(this, Math.max(1, pieceBytes));
    this.pieceLookups = this.#pieces.lookups;
  }

  get bound(): number {
    return this.#items.bound;
  }

  setBound(bytes: number): void {
    this.#items.setBound(bytes);
  }

  get turn(): number {
    return this.#items.turn;
  }

  peek(key: string): readonly ArtifactMeta[] | undefined {
    return this.hold(key)?.value;
  }

  hold(key: string): HeldRecords | undefined {
    const item = this.#items.use(key);
    return item instanceof HeldRecords ? item : undefined;
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
    return this.holdBody(body)?.value;
  }

  holdBody(body: BodyRef): Held<Uint8Array> | undefined {
    if (body.size === 0) return heldEmptyBody;
    const item = this.#items.use(body.sha256);
    return item instanceof HeldBody && item.value?.length === body.size ? item : undefined;
  }

  /** Nobody asks. */
  countHeld(): void {}

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
      if (!(item instanceof HeldRecords)) continue;
      const selected =
        'prefix' in selector
          ? key.startsWith(selector.prefix)
          : item.value?.some((meta) => meta.mount === selector.mount);
      if (selected) keys.push(key);
    }
    for (const key of keys) this.#items.delete(key);
    return keys.length;
  }

  stats(): StoreStats {
    return {
      name: 'memory',
      entries: this.#entries,
      bytes: this.#items.used,
      maxBytes: this.#items.maxBytes,
      partialBytes: this.#items.reserved,
      evictions: this.#items.evictions,
    };
  }

  health(): StoreHealth {
    return { ok: true };
  }

  async close(): Promise<void> {
    this.#items.clear();
  }

  setRecords(key: string, variants: readonly ArtifactMeta[]): void {
    // A list that does not fit must not leave an older one behind.
    if (variants.length === 0 || !this.#set(key, variants)) this.#items.delete(key);
  }

  addBody(body: BodyRef, bytes: Uint8Array): void {
    if (!isBodyRef(body) || body.size === 0 || body.size > this.maxBodyBytes) return;
    if (!this.#keysOf.has(body.sha256) || bytes.length !== body.size) return;
    if (this.#items.has(body.sha256) || !this.#items.makeRoom(bodySize(body.size))) return;
    this.#items.set(body.sha256, new HeldBody(bytes), bodySize(body.size));
  }

  pieces(body: BodyRef): BodyPieces | undefined {
    const large = body.size > this.maxBodyBytes && this.#keysOf.has(body.sha256);
    return large ? this.#pieces.of(body) : undefined;
  }

  addPiece(piece: Piece): boolean {
    const size = bodySize(piece.bytes.length);
    if (!this.#items.makeRoom(size)) return false;
    this.#items.set(piece.key, piece, size);
    this.usePiece(piece);
    return true;
  }

  usePiece({ key, body }: Piece): void {
    this.#items.use(key);
    // A record that went before the pieces would take all of them along.
    for (const name of this.#keysOf.of(body.sha256)) this.#items.use(name);
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
    return this.#items.reserve(from, to);
  }

  commit(key: string, meta: ArtifactMeta, bytes: Uint8Array, reserved: number): void {
    const variants = withVariant(this.peek(key) ?? [], meta);
    const needed = recordsSize(key, variants) + bodySize(bytes.length);
    if (!this.#items.makeRoom(needed - reserved)) {
      throw storageFull('the memory tier cannot take the response');
    }
    this.#items.reserve(reserved, 0);
    if (bytes.length > 0) {
      this.#items.set(meta.body.sha256, new HeldBody(bytes), bodySize(bytes.length));
    }
    this.#set(key, variants);
  }

  #set(key: string, variants: readonly ArtifactMeta[]): boolean {
    const size = recordsSize(key, variants);
    if (!this.#items.makeRoom(size)) return false;
    if (!this.#items.has(key)) this.#entries++;
    for (const { body } of variants) {
      if (body.size > 0) this.#keysOf.add(body.sha256, key);
    }
    this.#items.set(key, new HeldRecords(variants), size);
    return true;
  }

  #gone(item: Item, key: string, replaced: boolean): void {
    if (item instanceof HeldRecords) {
      const variants = item.value ?? [];
      item.value = undefined;
      this.#released(key, variants, replaced);
    } else if (item instanceof HeldBody) item.value = undefined;
    else this.#pieces.released(item);
  }

  /** A list of variants is gone or was replaced: bodies that no record names any more go too. */
  #released(key: string, variants: readonly ArtifactMeta[], replaced: boolean): void {
    if (!replaced) this.#entries--;
    const current = this.#items.peek(key);
    const kept = current instanceof HeldRecords ? current.value : undefined;
    for (const { body } of variants) {
      if (kept?.some((meta) => meta.body.sha256 === body.sha256)) continue;
      if (!this.#keysOf.remove(body.sha256, key)) continue;
      this.#items.delete(body.sha256);
      this.#pieces.forget(body.sha256);
    }
  }
}
