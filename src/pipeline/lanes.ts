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
/** Of one that brings nothing; bytes a millisecond. */
const leastRate = 0.001;

/** What the plan of parallel connections is to know of a fill. */
export function viewOf(
  fill: Fill,
  feeds: ReadonlySet<Feed>,
  asked: ReadonlySet<Asked>,
  now: number,
): ParallelView {
  const lanes: Lane[] = [];
  let flowing = 0;
  for (const { position, limit, open, paused, meter } of feeds) {
    if (meter.flowing) flowing += 1;
    // What waits for us says nothing of how fast it is.
    const measured = paused ? undefined : meter.rate(now);
    const rate = measured === undefined ? undefined : Math.max(measured, leastRate);
    const stalled = !paused && meter.silentMs(now) > stalledMs;
    lanes.push({ position, limit, rate, open, stalled });
  }
  for (const { range, at } of asked) {
    const stalled = now - at > unansweredMs;
    const { first, last } = range;
    lanes.push({ position: first, limit: last + 1, rate: undefined, open: false, stalled });
  }
  const { waiting, present } = fill;
  return { lanes, flowing, waiting, missing: present.missing(), bytes: present.brought };
}

/** A connection as whoever watches sees it. */
export interface LaneView {
  readonly state: 'asked' | 'receiving' | 'paused';
  /** Origin; undefined before anybody has answered. */
  readonly mirror: string | undefined;
  readonly first: number;
  /** Exclusive; infinity: wherever the body ends. */
  readonly end: number;
  /** Bytes that it has brought. */
  readonly bytes: number;
  /** Bytes a millisecond; undefined before there is anything to say. */
  readonly rate: number | undefined;
}

/** The connections of a fill at this moment, in the order of their places. */
export function watched(
  feeds: ReadonlySet<Feed>,
  asked: ReadonlySet<Asked>,
  now: number,
): readonly LaneView[] {
  const lanes: LaneView[] = [];
  for (const { response, position, brought, limit, paused, meter } of feeds) {
    lanes.push({
      state: paused ? 'paused' : 'receiving',
      mirror: response.mirror ?? response.origin,
      first: position - brought,
      end: limit,
      bytes: brought,
      rate: meter.rate(now),
    });
  }
  for (const { range } of asked) {
    const { first, last } = range;
    const lane = { state: 'asked', mirror: undefined, bytes: 0, rate: undefined } as const;
    lanes.push({ ...lane, first, end: last + 1 });
  }
  return lanes.sort((a, b) => a.first - b.first);
}
