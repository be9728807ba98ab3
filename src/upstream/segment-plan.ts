import type { ByteRange } from '../core/body.ts';

/** A connection at work on a run of bytes of one body. */
export interface Lane {
  /** Position of the next byte that it brings. */
  readonly position: number;
  /** Position where it is to stop; exclusive. */
  readonly limit: number;
  /** Bytes a millisecond; undefined before it is measured. */
  readonly rate: number | undefined;
  /** It was not asked for a segment, but goes on for as long as nobody is in its way. */
  readonly open: boolean;
  /** Nothing has come for so long that nothing may come any more. */
  readonly stalled: boolean;
}

/** What a body is like at the moment at which a connection has nothing to do. */
export interface Situation {
  /** What has not arrived, in order. */
  readonly missing: readonly ByteRange[];
  readonly lanes: readonly Lane[];
  /** First missing byte of each reader that waits. */
  readonly waiting: readonly number[];
  /** Nothing from this position on is wanted yet, because nothing keeps it; infinity where all is. */
  readonly until: number;
  /** What is expected of the idle connection: bytes a millisecond, milliseconds to its first byte. */
  readonly rate: number;
  readonly latency: number;
  /** Nobody knows what its mirror brings: the rate is that of others. */
  readonly untried?: boolean;
}

export interface SegmentSizes {
  /** The longest that a segment should take a connection, in milliseconds. */
  readonly targetMs: number;
  /** The least, in milliseconds, and in times of what its first byte takes. */
  readonly leastMs: number;
  readonly latencies: number;
  /** In how many turns at the least the connections bring what nobody works at yet. */
  readonly turns: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  /** Segments are multiples of this, but for the last. */
  readonly stepBytes: number;
}

export const segmentSizes: SegmentSizes = {
  targetMs: 1_000,
  leastMs: 80,
  latencies: 8,
  turns: 2,
  minBytes: 1024 * 1024,
  maxBytes: 32 * 1024 * 1024,
  stepBytes: 512 * 1024,
};

/** The longest that an untried connection's first segment should take, in milliseconds. */
const trialMs = 200;
/** The same in bytes: how fast it is was seen of others, and with it they may all be slower. */
const trialBytes = 4 * 1024 * 1024;
/** How long readers may wait at the end of a run where somebody so many times as fast could help. */
const lateMs = 400;
const muchFaster = 1.5;
/** What others leave to a connection that was not asked for a segment, in milliseconds of its work. */
const distanceMs = 500;
/** What another connection would have to win, in milliseconds, for its work to be split. */
const worthwhileMs = 40;
/** So much longer may each segment take than the readers' way to it. */
const growth = 2;
/** The least that is asked for anew when work is split, in bytes. */
const minStolenBytes = 512 * 1024;

/**
 * The bytes that an idle connection should ask for: what a reader waits for and nobody brings; the
 * end of a slow connection's run at which readers would wait, where it is faster; then
 * the first bytes from the readers on that nobody works at; and when all are taken, the end of the
 * slowest connection's run. Undefined: there is nothing that would be sooner there.
 */
export function nextSegment(
  situation: Situation,
  sizes: SegmentSizes = segmentSizes,
): ByteRange | undefined {
  const free = unclaimed(situation, sizes);
  const urgent = awaited(free, situation);
  const gap = urgent ?? nearest(free, situation);
  if (gap === undefined) return stolen(situation, slowest(situation));
  const late = urgent ? undefined : stolen(situation, latest(situation));
  if (late) return late;
  const bytes = Math.min(bytesOf([gap]), share(gap, free, situation, sizes));
  const taken = urgent ? bytes : timely(bytes, free, situation);
  return taken === 0 ? undefined : { first: gap.first, last: gap.first + taken - 1 };
}

/**
 * How many of the bytes the connection brings before all that is missing would be there, if nobody
 * were ever idle; none, where that is not worth asking for and the others have them before it would.
 */
function timely(bytes: number, free: readonly ByteRange[], { lanes, rate }: Situation): number {
  if (lanes.length === 0) return bytes;
  const left = bytesOf(free) + lanes.reduce((sum, lane) => sum + lane.limit - lane.position, 0);
  const others = lanes.reduce((sum, lane) => sum + (lane.rate ?? rate), 0);
  // Whoever takes it waits for a first byte, too.
  const inTime = Math.floor((rate * left) / (others + rate));
  if (inTime >= Math.min(bytes, minStolenBytes)) return Math.min(bytes, inTime);
  return left / others < bytes / rate ? 0 : bytes;
}

function bytesOf(ranges: readonly ByteRange[]): number {
  return ranges.reduce((bytes, { first, last }) => bytes + last - first + 1, 0);
}

/** Missing bytes that no lane is about to bring. */
function unclaimed({ missing, lanes, until, rate }: Situation, sizes: SegmentSizes): ByteRange[] {
  let free: ByteRange[] = [];
  for (const { first, last } of missing) {
    if (first < until) free.push({ first, last: Math.min(last, until - 1) });
  }
  for (const lane of lanes) {
    // Others keep a distance to an open one, so that it is not cut off at once.
    const end = lane.open
      ? Math.min(lane.limit, lane.position + bounded((lane.rate ?? rate) * distanceMs, sizes))
      : lane.limit;
    free = free.flatMap((gap) => without(gap, lane.position, end));
  }
  return free;
}

/** What is left of a gap without the bytes from `start` up to `end`. */
function without({ first, last }: ByteRange, start: number, end: number): ByteRange[] {
  if (end <= first || start > last) return [{ first, last }];
  const left: ByteRange[] = [];
  if (start > first) left.push({ first, last: start - 1 });
  if (end <= last) left.push({ first: end, last });
  return left;
}

/** What a reader waits for. */
function awaited(free: readonly ByteRange[], { waiting }: Situation): ByteRange | undefined {
  for (const position of [...waiting].sort((a, b) => a - b)) {
    const gap = free.find(({ first, last }) => first <= position && position <= last);
    if (gap) return { first: position, last: gap.last };
  }
  return undefined;
}

/** In the order in which bodies are read, so that what is hashed and what is sent keep up. */
function nearest(free: readonly ByteRange[], { waiting }: Situation): ByteRange | undefined {
  const from = Math.min(...waiting);
  return free.find(({ last }) => last >= from) ?? free[0];
}

/**
 * Bytes of one segment. It is to be there about when readers come to it: near to them a long one would
 * hold them up while all behind it arrives, which is then sent at once, and late. Towards the end they
 * become smaller, so that the connections finish together.
 */
function share(
  gap: ByteRange,
  free: readonly ByteRange[],
  { lanes, rate, waiting, latency, untried }: Situation,
  sizes: SegmentSizes,
): number {
  const left = bytesOf(free);
  const others = lanes.reduce((sum, lane) => sum + (lane.rate ?? rate), 0);
  const reader = Math.max(...waiting.filter((position) => position <= gap.first));
  // Readers who come from there move on at the pace of all, and within it at its own.
  const inTime = (growth * (gap.first - reader + 1)) / others;
  const most = untried ? trialMs : sizes.targetMs;
  const ms = Math.min(most, inTime, left / (others + rate) / sizes.turns);
  const least = rate * latency * sizes.latencies;
  const bytes = Math.max(rate * Math.max(ms, sizes.leastMs), least);
  return bounded(untried ? Math.min(bytes, Math.max(trialBytes, least)) : bytes, sizes);
}

function bounded(bytes: number, { minBytes, maxBytes, stepBytes }: SegmentSizes): number {
  const steps = Math.round(bytes / stepBytes) * stepBytes;
  return Math.min(maxBytes, Math.max(minBytes, steps));
}

/** The connection that would be done last. */
function slowest({ lanes, until }: Situation): Lane | undefined {
  let found: Lane | undefined;
  for (const lane of lanes) {
    // Of one that has hardly begun nobody knows whether it is slow.
    if (lane.rate === undefined && !lane.stalled) continue;
    if (lane.position < until && (!found || timeLeft(lane) > timeLeft(found))) found = lane;
  }
  return found;
}

/** The slow connection at which readers who move on at the pace of all would wait longest. */
function latest({ lanes, waiting, rate, untried, until }: Situation): Lane | undefined {
  if (untried) return undefined;
  const sum = lanes.reduce((all, lane) => all + (lane.rate ?? rate), rate);
  let found: Lane | undefined;
  let most = lateMs;
  for (const lane of lanes) {
    if (lane.rate === undefined || lane.rate * muchFaster > rate) continue;
    if (lane.position >= until) continue;
    const reader = Math.max(...waiting.filter((position) => position <= lane.position));
    const late = timeLeft(lane) - (lane.limit - reader) / sum;
    if (late <= most) continue;
    found = lane;
    most = late;
  }
  return found;
}

/** The end of a connection's run, so much of it that both are done at once. */
function stolen(
  { rate, latency, until }: Situation,
  from: Lane | undefined,
): ByteRange | undefined {
  if (!from || rate <= 0) return undefined;
  const end = Math.min(from.limit, until);
  const left = end - from.position;
  if (left <= 0) return undefined;
  const { rate: slow, stalled } = from;
  if (stalled || slow === undefined) return { first: from.position, last: end - 1 };
  // latency + x / rate = (left - x) / slow
  const bytes = Math.floor((left / slow - latency) / (1 / rate + 1 / slow));
  if (bytes < minStolenBytes || bytes / slow < worthwhileMs) return undefined;
  return { first: end - bytes, last: end - 1 };
}

/** Milliseconds. */
function timeLeft({ position, limit, rate, stalled }: Lane): number {
  return stalled || rate === undefined ? Number.POSITIVE_INFINITY : (limit - position) / rate;
}
