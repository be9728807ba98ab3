import type { TimeoutBounds } from './adaptive-timeouts.ts';
import type { MirrorRule } from './mirror-rules.ts';

/** What the operator says of all upstreams and mirrors. */
export interface MirrorSettings {
  /** Where the gateway is. */
  readonly region?: string;
  /** Requests at a time to one origin, where nothing more particular is said. */
  readonly concurrency?: number;
  readonly ecosystemConcurrency?: ReadonlyMap<string, number>;
  /** For one body; of these to one mirror. */
  readonly connections?: number;
  readonly connectionsEach?: number;
  /** Bytes per second from all upstreams together. */
  readonly bandwidth?: number;
  readonly rules?: readonly MirrorRule[];
  /** Without them nothing is adapted. */
  readonly timeouts?: TimeoutBounds;
}
