import type { CacheLookups } from '../core/cache-lookups.ts';
import type { MirrorsFigures } from '../core/mirror-figures.ts';

/** One tier of the store at the moment of asking. Bytes count against `maxBytes`. */
export interface TierSample {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly partialBytes: number;
  readonly evictions: number;
  readonly healthy: boolean;
}

/** How the process stands to the memory that it may have; sizes in bytes. */
export interface MemorySample {
  /** 0 none, 1 elevated, 2 high, 3 critical. */
  readonly pressure: number;
  readonly limit: number;
  /** Of the memory tier, just now. */
  readonly tierBound: number;
  /** Connections at once for one body, just now. */
  readonly connections: number;
}

/** What the gauges show, asked for once a scrape. */
export interface StateSample {
  readonly tiers: readonly TierSample[];
  /** Fills under way. */
  readonly fills: number;
  /** Clients attached to them. */
  readonly readers: number;
  /** Tunnels that are open. */
  readonly tunnels: number;
  readonly mirrors: MirrorsFigures;
  readonly memory: MemorySample;
  /** Of internal caches. */
  readonly lookups: readonly CacheLookups[];
}

/** What is read of the process; Node's own `process` is one. */
export interface ProcessProbe {
  /** Bytes. */
  memoryUsage(): {
    readonly rss: number;
    readonly heapTotal: number;
    readonly heapUsed: number;
    readonly external: number;
    readonly arrayBuffers: number;
  };
  /** Microseconds since the start of the process. */
  cpuUsage(): { readonly user: number; readonly system: number };
}
