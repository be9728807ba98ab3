import type { ByteRange } from '../core/body.ts';
import type { Lane } from '../upstream/segment-plan.ts';
import type { Feed } from './feed.ts';
import type { Fill } from './fill.ts';
import type { ParallelView } from './parallel.ts';

/** A part that was asked for, and has not begun to come. */
export interface Asked {
  readonly range: ByteRange;
  /** Milliseconds, on a clock that does not go back. */
  readonly at: number;
}

/** Silence after which a connection's work is given to another one, in milliseconds. */
const stalledMs = 1_000;
/** The same before the head of a part, which may have to wait for its turn. */
const unansweredMs = 3_000;
/** Bytes a millisecond, where nothing was measured. */
const leastRate = 0.001;

/** What the plan of parallel connections is to know of a fill. */
export function viewOf(
  fill: Fill,
  feeds: ReadonlySet<Feed>,
  asked: ReadonlySet<Asked>,
  now: number,
): ParallelView {
  const rates = [...feeds].flatMap(({ meter }) => meter.rate(now) ?? []);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length);
  const usual = Math.max(mean, leastRate);
  const lanes: Lane[] = [];
  let flowing = 0;
  for (const { position, limit, open, paused, meter } of feeds) {
    if (meter.flowing) flowing += 1;
    const rate = Math.max(meter.rate(now) ?? usual, leastRate);
    const stalled = !paused && meter.silentMs(now) > stalledMs;
    lanes.push({ position, limit, rate, open, stalled });
  }
  for (const { range, at } of asked) {
    const stalled = now - at > unansweredMs;
    const { first, last } = range;
    lanes.push({ position: first, limit: last + 1, rate: usual, open: false, stalled });
  }
  const { waiting, present } = fill;
  return { lanes, flowing, waiting, missing: present.missing(), bytes: present.bytes };
}
