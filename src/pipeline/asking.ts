import type { RequestRecord } from '../core/request-record.ts';
import type { Fill } from './fill.ts';
import type { Resource } from './resource.ts';

/** One request on its way through the pipeline. */
export interface Asking {
  readonly resource: Resource;
  readonly record: RequestRecord;
  readonly signal: AbortSignal;
  /** Exchanges that had ended before the look-up. */
  readonly since: number;
  /** Fills that it is about to read. */
  readonly held: Set<Fill>;
}

/** Keeps a fill for the request until that has its answer. */
export function hold({ held }: Asking, fill: Fill): void {
  if (held.has(fill)) return;
  held.add(fill);
  fill.hold();
}
