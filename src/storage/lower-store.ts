import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import type { BodyPieces } from './body-pieces.ts';
import type { PartialBody, PartialIdentity, Store } from './store.ts';

/** Hears of every change that a store made durable, in order, before the call that made it resolves. */
export interface StoreListener {
  /** The key has these variants now; none: it is forgotten. */
  changed(key: string, variants: readonly ArtifactMeta[]): void;
  /** The key was let go for space: what is known of it elsewhere is still right. */
  evicted(key: string): void;
}

/** A body on its way into such a store. */
export interface LowerPartial extends PartialBody {
  inMemory(size: number): Uint8Array | undefined;
}

/** A store that may stand behind the memory tier. */
export interface LowerStore extends Store {
  /** The same; takes from `pieces` what is there, and reads what is to be there into them. */
  peekReader(
    body: BodyRef,
    range?: ByteRange,
    lead?: Uint8Array,
    pieces?: BodyPieces,
  ): BodyReader | undefined;
  openBody(body: BodyRef, range?: ByteRange, pieces?: BodyPieces): Promise<BodyReader | undefined>;
  begin(size: number | undefined, identity?: PartialIdentity): Promise<LowerPartial>;
  /** Notes that the key was used, where this store was not asked, for the order of eviction. */
  touch(key: string): void;
  /** At most one listener; it must not throw. */
  listen(listener: StoreListener): void;
}
