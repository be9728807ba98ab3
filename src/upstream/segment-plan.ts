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
}

export interface SegmentSizes {
  /** How long a segment should take a connection, in milliseconds. */
  readonly targetMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  /** Segments are multiples of this, but for the last. */
  readonly stepBytes: number;
}

export const segmentSizes: SegmentSizes = {
  targetMs: 1_000,
  minBytes: 1024 * 1024,
  maxBytes: 32 * 1024 * 1024,
  stepBytes: 512 * 1024,
};

/** What another connection would have to win, in milliseconds, for its work to be split. */
const worthwhileMs = 80;
/** The least that is asked for anew when work is split, in bytes. */
const minStolenBytes = 1024 * 1024;

/**
 * The bytes that an idle connection should ask for: what a reader waits for and nobody brings; then
 * the first bytes from the readers on that nobody works at, as many as take it about `targetMs`; and
 * when all are taken, the end of the slowest connection's run. Undefined: there is nothing that would
 * be sooner there.
 */
export function nextSegment(
  situation: Situation,
  sizes: SegmentSizes = segmentSizes,
): ByteRange | undefined {
  const free = unclaimed(situation, sizes);
  const gap = mostUrgent(free, situation);
  if (gap === undefined) return stolen(situation);
  return {
    first: gap.first,
    last: Math.min(gap.last, gap.first + share(free, situation, sizes) - 1),
  };
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
      ? Math.min(lane.limit, lane.position + bounded((lane.rate ?? rate) * sizes.targetMs, sizes))
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

function mostUrgent(free: readonly ByteRange[], { waiting }: Situation): ByteRange | undefined {
  const wanted = [...waiting].sort((a, b) => a - b);
  for (const position of wanted) {
    const gap = free.find(({ first, last }) => first <= position && position <= last);
    if (gap) return { first: position, last: gap.last };
  }
  // In the order in which bodies are read, so that what is hashed and what is sent keep up.
  const [nearest = 0] = wanted;
  return free.find(({ last }) => last >= nearest) ?? free[0];
}

/** Bytes of one segment: towards the end smaller ones, so that the connections finish together. */
function share(
  free: readonly ByteRange[],
  { lanes, rate }: Situation,
  sizes: SegmentSizes,
): number {
  const left = free.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const sum = lanes.reduce((all, lane) => all + (lane.rate ?? rate), rate);
  const fair = Math.ceil((left * rate) / sum / sizes.stepBytes) * sizes.stepBytes;
  return Math.min(bounded(rate * sizes.targetMs, sizes), Math.max(sizes.minBytes, fair));
}

function bounded(bytes: number, { minBytes, maxBytes, stepBytes }: SegmentSizes): number {
  const steps = Math.round(bytes / stepBytes) * stepBytes;
  return Math.min(maxBytes, Math.max(minBytes, steps));
}

/** The end of the run that would be finished last, so much of it that both finish at once. */
function stolen({ lanes, rate, latency, until }: Situation): ByteRange | undefined {
  let slowest: Lane | undefined;
  for (const lane of lanes) {
    // Of one that has hardly begun nobody knows whether it is slow.
    if (lane.rate === undefined && !lane.stalled) continue;
    if (lane.position < until && (!slowest || timeLeft(lane) > timeLeft(slowest))) slowest = lane;
  }
  if (!slowest || rate <= 0) return undefined;
  const end = Math.min(slowest.limit, until);
  const left = end - slowest.position;
  if (left <= 0) return undefined;
  const { rate: slow, stalled } = slowest;
  if (stalled || slow === undefined) return { first: slowest.position, last: end - 1 };
  // latency + x / rate = (left - x) / slow
  const bytes = Math.floor((left / slow - latency) / (1 / rate + 1 / slow));
  if (bytes < minStolenBytes || bytes / slow < worthwhileMs) return undefined;
  return { first: end - bytes, last: end - 1 };
}

/** Milliseconds. */
function timeLeft({ position, limit, rate, stalled }: Lane): number {
  return stalled || rate === undefined ? Number.POSITIVE_INFINITY : (limit - position) / rate;
}
