import type { ByteRange } from '../core/body.ts';
import type { FeedResponse } from './feed.ts';
import type { LaneBudget } from './lane-budget.ts';

/** Asks the same upstreams once more. */
export interface Refetch {
  /** A GET with `Range`, and with `If-Range` where there is a strong entity tag. */
  part(range: ByteRange, etag: string | undefined): Promise<FeedResponse>;
  /** A plain GET. */
  whole(): Promise<FeedResponse>;
  /** The most connections at once for one body; 1: one after the other. */
  connections(etag: string | undefined): number;
  /** The mirror that `part` would ask now; undefined: there it would have to wait for its turn. */
  next(etag: string | undefined): string | undefined;
  /** Milliseconds, on a clock that does not go back. */
  now(): number;
  /** What there is for all bodies together; without it as much as one likes. */
  readonly budget?: LaneBudget;
  /** The first response is the whole although a part was asked for. */
  readonly rangesIgnored?: boolean;
}
