import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { Held } from '../core/held.ts';

/** What a store with a memory offers those who answer the same again and again. */
export interface Holding {
  /** As `peek`, for as long as the very list is there. */
  hold(key: string): Held<readonly ArtifactMeta[]> | undefined;
  /** As `peekBody`, for as long as the body is there. */
  holdBody(body: BodyRef): Held<Uint8Array> | undefined;
  /** Counts a use of records that are held, and of a body: as a look-up that found them. */
  countHeld(withBody: boolean): void;
  /**
   * Advances as memory takes in more, each time after a small part of its bound. Who holds something
   * peeks at it once in each turn that it is used, and about once a second: the order of eviction
   * knows uses as finely as that, in memory and on disk.
   */
  readonly turn: number;
}
