import type { OriginLimits } from './origin/server.ts';

/** What a scenario wants of the caches that take part. */
export interface CacheSettings {
  /** Bound of Millrace's memory tier. */
  readonly memory: string;
  /** Bound of the disk cache. */
  readonly disk: string;
  /**
   * Where `direct` runs: on the servers' core, or as the one origin that all misses go to, on the
   * core of the load.
   */
  readonly directOn: 'server' | 'load';
  /** An npm registry is behind the cache, `bench.registry()`, in place of the origin of bodies. */
  readonly npm?: true;
  /** Mirrors of the same bodies, in place of the one origin; a peer that knows only one has the first. */
  readonly mirrors?: readonly OriginLimits[];
}
