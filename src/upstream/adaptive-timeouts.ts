import type { MirrorRecord } from './mirror-record.ts';

/** Times in milliseconds. */
export interface Timeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
}

/** The configured bounds: never below the floor, never above the others. */
export interface TimeoutBounds extends Timeouts {
  readonly floorMs: number;
}

/** How much longer than nearly all of the past is too long. */
const patience = 3;
const nearlyAll = 0.99;

/** What to wait for a mirror where another one could be asked instead, from what it took so far. */
export function adaptedTimeouts(record: MirrorRecord, bounds: TimeoutBounds): Timeouts {
  const bounded = (usual: number | undefined, most: number): number =>
    usual === undefined ? most : Math.min(most, Math.max(bounds.floorMs, usual * patience));
  return {
    connectMs: bounded(record.connectDelays.quantile(nearlyAll), bounds.connectMs),
    firstByteMs: bounded(record.firstByteDelays.quantile(nearlyAll), bounds.firstByteMs),
    idleMs: bounded(record.silences.quantile(nearlyAll), bounds.idleMs),
  };
}
