import type { Bench } from '../bench.ts';
import type { CacheSettings } from '../cache-settings.ts';

/** A server that could take part. */
export interface Peer {
  readonly name: string;
  /** Debian's package that has it, when it is not a part of this repository. */
  readonly package?: string;
  /** Installs it where `version` looks, when it comes otherwise; throws where that fails. */
  install?(): void;
  /** Its version; undefined: it is not installed. */
  version(): string | undefined;
  start(bench: Bench, settings: CacheSettings): Promise<Contestant>;
}

/** How often a cache was asked and knew, or did not. */
export interface Lookups {
  readonly hits: number;
  readonly misses: number;
}

/** Milliseconds, and what was wrong with the body. */
export interface DownloadByItself {
  readonly ms: number;
  readonly problem: string | undefined;
}

/** A server that runs. */
export interface Contestant {
  readonly name: string;
  /** The path of a body is appended to it; no slash at the end. */
  readonly base: string;
  /**
   * URL of the registry that is the origin's `/npm`, when documents that come through it name their
   * tarballs there; undefined where documents come as they are.
   */
  readonly registry?: string;
  /** Look-ups by the name of an internal cache, since its start. */
  cacheLookups?(): Promise<ReadonlyMap<string, Lookups>>;
  /** Undefined: nothing to count, it is the origin itself. */
  readonly pid: number | undefined;
  /** Fetches a body by itself, where it is no server but a client; it is deleted afterwards. */
  download?(path: string): Promise<DownloadByItself>;
  /** What it says of itself, for scenarios about memory: bytes in its memory tier. */
  memoryTierBytes?(): Promise<number>;
  /** The first line of its log that speaks of an error, to explain a void sample. */
  complaint?(): Promise<string | undefined>;
  /**
   * Ends it in order and starts it again on the same data and port; milliseconds from the start of the
   * process until it listens. `meanwhile` gets the folder of the data while nobody uses it.
   */
  restart?(meanwhile?: (data: string) => void | Promise<void>): Promise<number>;
  /** Why it is not running any more; undefined while it is. */
  ended(): string | undefined;
  stop(): Promise<void>;
}
