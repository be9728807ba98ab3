import type { BreakerState } from './circuit-breaker.ts';
import type { Estimate } from './mirror-record.ts';

/** One mirror as the choice sees it. */
export interface Option {
  /** Undefined: nothing is known of it. */
  readonly estimate: Estimate | undefined;
  readonly state: BreakerState;
  /** When its pause ends; milliseconds since the epoch. */
  readonly pausedUntil: number;
  /** Requests under way, those that queue, and the places. */
  readonly active: number;
  readonly queued: number;
  readonly concurrency: number;
  /** Of mirrors that nothing is known of, the nearer are asked first: 0 is near. */
  readonly distance: number;
}

/** An option with its expected times, in milliseconds. */
export interface Ranked<T extends Option> {
  readonly option: T;
  /** Undefined: unknown. */
  readonly expectedMs: number | undefined;
  readonly queueMs: number;
  /** What it might be at best, as little as it is known. */
  readonly optimisticMs: number;
}

export interface Ranking<T extends Option> {
  /** In the order in which to ask them. */
  readonly order: readonly Ranked<T>[];
  readonly reason:
    | 'fastest'
    | 'exploration'
    | 'trial'
    | 'unknown'
    | 'last resort'
    | 'as configured'
    | 'only';
}

/** What a failure costs, besides the time until it shows. */
const failureCostMs = 250;
/** Exploring does not pay where even the best case is hardly better. */
const worthExploring = 0.9;

export interface RankOptions {
  /** A mirror that is known too little, and might be better, may go first. */
  readonly explore: boolean;
  /** One of many parts of an object: all mirrors together are faster than the fastest, so that one
   * with a free place comes before one whose places are taken. */
  readonly spread: boolean;
}

/**
 * The order in which to ask equivalent mirrors: by the lowest expected time to completion, those that
 * pause last.
 */
export function rankMirrors<T extends Option>(
  options: readonly T[],
  { explore, spread }: RankOptions,
): Ranking<T> {
  const ranked = options.map(rank);
  const able = ranked
    .filter(({ option }) => option.state !== 'open')
    .sort((a, b) => (spread ? fullness(a) - fullness(b) : 0) || byExpectation(a, b));
  const pausing = ranked
    .filter(({ option }) => option.state === 'open')
    .sort((a, b) => a.option.pausedUntil - b.option.pausedUntil);
  const closed = able.filter(({ option }) => option.state === 'closed');
  const order = [...able, ...pausing];
  if (able.length === 0) return { order, reason: 'last resort' };
  // A part that waits to learn of a mirror would hold up the whole: there is work for it elsewhere.
  const free = (each: Ranked<T>): boolean => !spread || fullness(each) === 0;
  // A pause that is over ends with one request that tries; it goes on elsewhere when that fails.
  const trial = able.find((each) => each.option.state === 'half-open' && free(each));
  if (trial !== undefined && (explore || closed.length === 0)) {
    return { order: firstOf(order, trial), reason: 'trial' };
  }
  const known = [...closed, ...able.filter(({ option }) => option.state === 'half-open')];
  const best = known[0];
  if (best?.expectedMs === undefined) return { order: [...known, ...pausing], reason: 'unknown' };
  const rest = { order: [...known, ...pausing], reason: 'fastest' as const };
  if (!explore) return rest;
  const [candidate] = closed
    .slice(1)
    .filter(free)
    .sort((a, b) => a.optimisticMs - b.optimisticMs);
  if (candidate === undefined || candidate.optimisticMs >= best.expectedMs * worthExploring) {
    return rest;
  }
  return { order: firstOf(rest.order, candidate), reason: 'exploration' };
}

/** As configured, those that pause at the end, where they still are the last resort. */
export function inOrder<T extends Option>(options: readonly T[]): Ranking<T> {
  const paused = (option: T): number => (option.state === 'open' ? 1 : 0);
  const order = options
    .toSorted((a, b) => paused(a) - paused(b))
    .map((option) => ({ option, expectedMs: undefined, queueMs: 0, optimisticMs: 0 }));
  return { order, reason: options.length === 1 ? 'only' : 'as configured' };
}

function rank<T extends Option>(option: T): Ranked<T> {
  const { estimate, active, queued, concurrency } = option;
  if (estimate === undefined) {
    return { option, expectedMs: undefined, queueMs: 0, optimisticMs: 0 };
  }
  const { connectMs, firstByteMs, transferMs, failureRate, weight } = estimate;
  const once = connectMs + firstByteMs + transferMs;
  // With all places taken it begins when as many are done as wait before it, and itself.
  const queueMs = active < concurrency ? 0 : (once * (queued + 1)) / concurrency;
  const share = Math.min(0.95, failureRate);
  const expectedMs = queueMs + (once + share * failureCostMs) / (1 - share);
  return { option, expectedMs, queueMs, optimisticMs: (expectedMs * weight) / (weight + 1) };
}

function fullness({ option: { active, concurrency } }: Ranked<Option>): number {
  return active >= concurrency ? 1 : 0;
}

/** The unknown behind the known, the near before the far; otherwise as configured. */
function byExpectation(a: Ranked<Option>, b: Ranked<Option>): number {
  if (a.expectedMs !== undefined && b.expectedMs !== undefined) return a.expectedMs - b.expectedMs;
  if (a.expectedMs === undefined && b.expectedMs === undefined) {
    return a.option.distance - b.option.distance;
  }
  return a.expectedMs === undefined ? 1 : -1;
}

function firstOf<T>(order: readonly T[], first: T): readonly T[] {
  return [first, ...order.filter((each) => each !== first)];
}

/** How far a mirror's region is: 0 for here, or where nobody says where the gateway is. */
export function distance(region: string | undefined, own: string | undefined): number {
  if (own === undefined) return 0;
  if (region === undefined) return 1;
  return region === own ? 0 : 2;
}
