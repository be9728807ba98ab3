import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { CacheLookups } from '../core/cache-lookups.ts';
import type { BodyPieces } from './body-pieces.ts';
import type { Holding } from './holding.ts';
import type { Store } from './store.ts';

/** A store that keeps the hot part of another: it may know a record without its body. */
export interface MemoryStore extends Store, Holding {
  /** Largest body that it takes, in bytes. */
  readonly maxBodyBytes: number;
  /** The bound that holds now, in bytes. */
  readonly bound: number;
  /** Another bound, never above `maxBytes`: a lower one is reached in steps, oldest items first. */
  setBound(bytes: number): void;
  /** Sets all variants of a key as another store has them; none: forgets the key. */
  setRecords(key: string, variants: readonly ArtifactMeta[]): void;
  /** Adds a body if it is small enough and a record here names it. The bytes are kept as they are. */
  addBody(body: BodyRef, bytes: Uint8Array): void;
  /** The pieces of a body that is too large to be here whole; undefined unless a record here names it. */
  pieces(body: BodyRef): BodyPieces | undefined;
  readonly pieceLookups: CacheLookups;
  /** Forgets the records that name the body. */
  forgetBody(body: BodyRef): void;
  /** Forgets the key unless all the bodies of its records are here. */
  forgetWithoutBodies(key: string): void;
}
