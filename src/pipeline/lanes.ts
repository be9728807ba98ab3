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
  feeds: readonly Feed[],
  asked: readonly Asked[],
  now: number,
): ParallelView {
  const lanes: Lane[] = [];
  let flowing = 0;
  const measuredOf = new Map<string, number[]>();
  for (const { position, limit, open, paused, meter, mirror } of feeds) {
    if (meter.flowing) flowing += 1;
    // What waits for us says nothing of how fast it is.
    const measured = paused ? undefined : meter.rate(now);
    const rate = measured === undefined ? undefined : Math.max(measured, leastRate);
    if (rate !== undefined) measuredOf.set(mirror, [...(measuredOf.get(mirror) ?? []), rate]);
    const stalled = !paused && meter.silentMs(now) > stalledMs;
    lanes.push({ position, limit, rate, open, stalled });
  }
  for (const { range, at } of asked) {
    const stalled = now - at > unansweredMs;
    const { first, last } = range;
    lanes.push({ position: first, limit: last + 1, rate: undefined, open: false, stalled });
  }
  const { waiting, present } = fill;
  const rates = new Map([...measuredOf].map(([mirror, of]) => [mirror, mean(of)]));
  return { lanes, rates, flowing, waiting, missing: present.missing(), bytes: present.brought };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
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
  feeds: readonly Feed[],
  asked: readonly Asked[],
  now: number,
): readonly LaneView[] {
  const lanes: LaneView[] = [];
  for (const { mirror, position, brought, limit, paused, meter } of feeds) {
    lanes.push({
      state: paused ? 'paused' : 'receiving',
      mirror,
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

/** Whether somebody is at work at a position, or on its way there from no further than `within` bytes. */
export function isComing(
  feeds: readonly Feed[],
  asked: readonly Asked[],
  position: number,
  within: number,
): boolean {
  const isNear = (from: number): boolean => position >= from && position - from < within;
  return (
    feeds.some((feed) => isNear(feed.position)) || asked.some(({ range }) => isNear(range.first))
  );
}

/** Takes one out of a list. */
export function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at !== -1) list.splice(at, 1);
}

/** The first position behind a feed's at which somebody else is at work; infinity: there is nobody. */
export function nextWork(feed: Feed, feeds: Iterable<Feed>, asked: Iterable<Asked>): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { position } of feeds) if (position > feed.position) next = Math.min(next, position);
  for (const { range } of asked) {
    if (range.first > feed.position) next = Math.min(next, range.first);
  }
  return next;
}
