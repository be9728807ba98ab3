import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange, HashedBody } from '../core/body.ts';
import type { CacheLookups } from '../core/cache-lookups.ts';
import type { Digest } from '../core/digest.ts';

/** What to remove. `prefix` is a prefix of the key (the canonical URL), `mount` a mount's path. */
export type PurgeSelector =
  | { readonly key: string }
  | { readonly prefix: string }
  | { readonly mount: string };

export interface StoreStats {
  readonly name: string;
  /** Keys with at least one stored response. */
  readonly entries: number;
  /** Bytes held against the bound: bodies, records and partial bodies. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Bytes of `bytes` that belong to partial bodies. */
  readonly partialBytes: number;
  readonly evictions: number;
  readonly tiers?: readonly StoreStats[];
  /** Of the caches in front of what is slower. */
  readonly lookups?: readonly CacheLookups[];
}

export type StoreHealth = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * Which representation a partial body is of. Bytes of two transfers are joined only under the same
 * total length and the same digest of the whole or the same strong entity tag.
 */
export interface PartialIdentity {
  readonly key: string;
  /** Strong, with its quotes. */
  readonly etag?: string;
  /** What the whole body must have. */
  readonly digest?: Digest;
  /** The head that it came with; its `vary` and `mount` select it, too. */
  readonly head: Omit<ArtifactMeta, 'body'>;
}

/** A body that never became whole, and what is left of it. */
export interface Leftover extends PartialIdentity {
  /** Bytes of the whole. */
  readonly size: number;
  /** What is not there, in order. */
  readonly missing: readonly ByteRange[];
}

/**
 * Responses by key, bodies by content. The key is the canonical URL, with a suffix for derived
 * documents; each key holds a bounded list of variants, most recently stored first.
 *
 * A body that is absent or shorter than its record says is a miss: `openBody` returns undefined and
 * forgets it. Failures of the medium are thrown as GatewayErrors of origin `storage`
 * (`storage_full`, `storage_failed`); callers go on without the store.
 */
export interface Store {
  /** Synchronous look-up in memory; undefined means "not known here", not "absent". */
  peek(key: string): readonly ArtifactMeta[] | undefined;
  /** All variants; an empty list when there is none, which may be known at once. Rejects, never throws. */
  get(key: string): Promise<readonly ArtifactMeta[]> | readonly ArtifactMeta[];
  /**
   * Adds a response whose body is stored already, or replaces the variant with the same `vary`.
   * Serialised per key: two concurrent calls both take effect.
   */
  put(key: string, meta: ArtifactMeta): Promise<void>;
  /** The whole body when it is in memory; for as long as the caller likes, never to be written to. */
  peekBody(body: BodyRef): Uint8Array | undefined;
  /**
   * A reader of a range of a stored body (the whole without one) that is not in memory, but open
   * already; undefined means "ask `openBody`". Its first chunk begins with `lead`, at most 4 KiB, or is
   * that very object where what follows takes no copying.
   */
  peekReader(body: BodyRef, range?: ByteRange, lead?: Uint8Array): BodyReader | undefined;
  /**
   * The bytes of a range of a stored body, in order, where they are in memory though the body is not,
   * and not too many to send at once; for as long as the caller likes, never to be written to.
   */
  peekPart(body: BodyRef, range: ByteRange): readonly Uint8Array[] | undefined;
  /** Reads a range of a stored body (the whole without one); undefined when the body is gone. */
  openBody(body: BodyRef, range?: ByteRange): Promise<BodyReader | undefined>;
  /**
   * Begins a body of `size` bytes (undefined: unknown) with that space reserved, victims evicted.
   * Throws `storage_full` when the bound cannot take it, `storage_failed` when the medium is broken.
   *
   * With an identity and a size, what was left of the same representation is taken up (`resumed`);
   * what was left of another one under the same key and request fields is dropped.
   */
  begin(size: number | undefined, identity?: PartialIdentity): Promise<PartialBody>;
  /**
   * What suspended transfers, or a run that ended in the middle, left of this key; an empty list when
   * there is nothing, as for a store that forgets, or whose medium fails, which may be known at once. It
   * is dropped with its key, evicted before anything that is whole, and for a day at most.
   */
  leftovers(key: string): Promise<readonly Leftover[]> | readonly Leftover[];
  /** Forgets a key; whether there was anything. */
  delete(key: string): Promise<boolean>;
  /** Forgets what the selector names and frees bodies that nothing else uses; the number of keys. */
  purge(selector: PurgeSelector): Promise<number>;
  stats(): StoreStats;
  health(): StoreHealth;
  /** Ends pending writes; the store is not used afterwards. */
  close(): Promise<void>;
}

/** Bytes of a partial body that an earlier transfer of the same representation brought. */
export interface ResumedBytes {
  /** Disjoint, in order: they are not to be written again unless `check` gave them up. */
  readonly pieces: readonly ByteRange[];
  /**
   * Reads the pieces from the first on and tells of each whether its bytes are what was written: only
   * then may it be read; one that is not counts as missing. At most once; ends early with the body.
   */
  check(tell: (piece: ByteRange, intact: boolean) => void): Promise<void>;
}

/** The file that a body is written to, for who reads it beside. */
export interface GrowingFile {
  /** Undefined before the first byte. */
  readonly path: string | undefined;
  /** So many bytes of the body are in it, from the first on without a gap. */
  readonly written: number;
  /** Resolves when all that was given is in it; rejects with what made a write fail. */
  flushed(): Promise<void>;
}

/**
 * A body that is arriving, in any order of ranges that do not overlap. It is invisible to others
 * until `commit`; after `commit` or `discard` readers that are still open keep working on the same
 * bytes until they close.
 */
export interface PartialBody {
  /** Undefined where there is nothing to take up. */
  readonly resumed: ResumedBytes | undefined;
  /** Undefined where it is in memory, or may be. */
  readonly file?: GrowingFile | undefined;
  /**
   * Takes a copy of the bytes and writes them behind.
   * Returns false when more than a bounded amount waits: the caller pauses its source until `drained`.
   * A failed write makes `failure` defined and is thrown by `commit`.
   */
  write(position: number, chunk: Uint8Array): boolean;
  /**
   * The body is hashed as it is written: what is written in order needs no checksum of its own to be
   * known again. Before the first `write`.
   */
  provenBy?(hash: HashedBody): void;
  /**
   * The body of `size` bytes, all of which were written, where it is in memory; for as long as the
   * caller likes, never to be written to. Undefined where it has to be read.
   */
  inMemory?(size: number): Uint8Array | undefined;
  /** Resolves when little enough waits, or the medium failed. */
  drained(): Promise<void>;
  /** Set once the medium failed: bytes that were readable stay readable. */
  readonly failure: Error | undefined;
  /**
   * Copies bytes that were given to `write` into `target` (from memory or the medium), starting at
   * `position`; the number of bytes copied, at least 1. Asking for bytes not yet written is a
   * programming error.
   */
  read(position: number, target: Uint8Array): Promise<number>;
  /**
   * Makes the body durable under its digest and the record visible under `key`, both or neither.
   * The meta as stored.
   */
  commit(key: string, meta: ArtifactMeta): Promise<ArtifactMeta>;
  /** Gives everything back, reservations included; any number of times. */
  discard(): Promise<void>;
  /**
   * Ends it unfinished, but what has arrived may be taken up again where it has an identity and is
   * worth it; otherwise as `discard`.
   */
  suspend(): Promise<void>;
  /** Nobody reads it any more: once it is committed or discarded nothing is kept open for readers. */
  release(): void;
}
