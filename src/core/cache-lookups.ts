/** How often an internal cache was asked since the start, and how often it knew. */
export interface CacheLookups {
  readonly cache: string;
  readonly hits: number;
  readonly misses: number;
}

/** Counts look-ups in one internal cache. */
export class LookupCounter implements CacheLookups {
  readonly cache: string;
  hits = 0;
  misses = 0;

  /** `cache`: as the metric names it. */
  constructor(cache: string) {
    this.cache = cache;
  }

  count(found: boolean): void {
    if (found) this.hits += 1;
    else this.misses += 1;
  }
}
