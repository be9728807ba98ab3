import type { ByteRange } from '../core/body.ts';
import { LaneCount } from '../upstream/lane-count.ts';
import { type Lane, nextSegment, type Situation, segmentSizes } from '../upstream/segment-plan.ts';
import type { LaneBudget } from './lane-budget.ts';
import { LaneWaits } from './lane-waits.ts';

/** What a body is like at a moment. */
export interface ParallelView extends Pick<Situation, 'missing' | 'waiting'> {
  readonly lanes: readonly Lane[];
  /** Lanes that bring bytes. */
  readonly flowing: number;
  /** What a lane from a mirror brings, on average, of those that were measured; bytes a millisecond. */
  readonly rates: ReadonlyMap<string, number>;
  /** Bytes that were brought. */
  readonly bytes: number;
}

export interface ParallelOptions {
  /** The most connections at once. */
  readonly most: () => number;
  /** What there is for all bodies together; without it as much as one likes. */
  readonly budget: LaneBudget | undefined;
  readonly view: () => ParallelView;
  /** The mirror that would be asked now; undefined: it has no place free. */
  readonly next: () => string | undefined;
  /** Asks for the bytes over another connection. */
  readonly ask: (range: ByteRange) => void;
  /** Whether the upstream says that it serves ranges; until it has done so one is tried alone. */
  readonly servesRanges: boolean;
  /** Milliseconds to the first byte of the ordinary response. */
  readonly latency: number;
  /** Milliseconds, on a clock that does not go back. */
  readonly now: () => number;
}

/** How long one connection is watched before others are thought of, in milliseconds. */
const watchedMs = 30;
/** The same where the body would take it so many times longer than is worthwhile. */
const glimpseMs = 10;
const surely = 4;
/** What one connection brings within this time, in milliseconds, is not worth bothering the upstream. */
const worthwhileMs = 2_500;
/** Part of the time at work from which on it is not the upstream that is slow. */
const saturated = 0.8;
/** What a connection is asked for at the least, however little is known. */
const leastBytes = 2 * segmentSizes.minBytes;
/** How often it is looked at how the connections do, in milliseconds. */
const stepMs = 20;
const tickMs = 100;

/**
 * Decides over how many connections a body arrives, and what they are asked for. It begins when the
 * first one has shown that it will take a while, and knows nothing of what is done with the bytes.
 */
export class Parallel {
  readonly #options: ParallelOptions;
  #count: LaneCount | undefined;
  #watchedFrom: { readonly at: number; readonly bytes: number; readonly ours: number } | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** A range was asked for, to see whether they are served. */
  #tried = false;
  #served: boolean;
  #ticks: NodeJS.Timeout | undefined;
  readonly #waits = new LaneWaits();
  /** Milliseconds to the first byte of a part. */
  #latency: number;
  /** Bytes a millisecond of the first connection. */
  #rate = 0;
  /** The same of the last one to each mirror that is done. */
  readonly #rates = new Map<string, number>();

  constructor(options: ParallelOptions) {
    this.#options = options;
    this.#latency = options.latency;
    this.#served = options.servesRanges;
  }

  /** Bytes came. */
  took(): void {
    const at = this.#options.now();
    if (at - this.#lookedAt < (this.#count ? stepMs : glimpseMs)) return;
    this.#lookedAt = at;
    if (this.#count) this.#look(this.#count, at);
    else if (this.#options.most() <= 1) return;
    else if (this.#tried) this.#start();
    else this.#begin(at);
  }

  /** A part's head came so long after it was asked for. */
  answered(milliseconds: number): void {
    this.#latency = (this.#latency + milliseconds) / 2;
  }

  /** A part comes as it was asked for. */
  served(): void {
    this.#served = true;
  }

  /** A connection to a mirror is done, or broke off; `rate` in bytes a millisecond, where it is known. */
  done(mirror: string, rate: number | undefined): void {
    if (rate !== undefined && rate > 0) this.#rates.set(mirror, rate);
    if (this.#count) this.#assign(this.#count.target);
  }

  /** A part could not be had while others come: so many at once are one too many. */
  refused(): void {
    this.#count?.refused(this.#options.now());
  }

  /** What comes has to wait for us. */
  held(): void {
    this.#waits.begin(this.#options.now());
  }

  /** It goes on. */
  resumed(): void {
    this.#waits.end(this.#options.now());
  }

  stop(): void {
    clearInterval(this.#ticks);
    if (this.#count) this.#options.budget?.leave();
    this.#count = undefined;
    this.#tried = false;
    this.#watchedFrom = { at: Number.POSITIVE_INFINITY, bytes: 0, ours: 0 };
  }

  get #most(): number {
    const { most, budget } = this.#options;
    return Math.min(most(), budget?.most ?? Number.POSITIVE_INFINITY);
  }

  #begin(at: number): void {
    const { bytes, missing } = this.#options.view();
    // It waited for this thread, or for what takes its bytes.
    const ours = (this.#options.budget?.busyMs ?? 0) + this.#waits.total(at);
    this.#watchedFrom ??= { at, bytes, ours };
    const ms = at - this.#watchedFrom.at;
    const rate = (bytes - this.#watchedFrom.bytes) / ms;
    if (!(ms >= glimpseMs) || rate <= 0) return;
    const left = missing.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    if (ms < watchedMs && left / rate < surely * worthwhileMs) return;
    if (ours - this.#watchedFrom.ours > saturated * ms) {
      this.#watchedFrom = { at, bytes, ours };
      return;
    }
    this.#rate = rate;
    if (left / rate < worthwhileMs) return;
    this.#start();
  }

  /**
   * RFC 9110 section 14.3: who does not say that it serves ranges may do so; who does not would send the
   * whole body over each connection.
   */
  #start(): void {
    if (!this.#served) {
      if (!this.#tried) this.#assign(2);
      return;
    }
    this.#options.budget?.enter();
    const most = () => this.#most;
    this.#count = new LaneCount({
      // It falls and rises with the memory that there is, and with what others take.
      get max() {
        return most();
      },
    });
    this.#count.begin(this.#rate);
    this.#ticks = setInterval(() => this.#tick(), tickMs).unref();
    this.#assign(this.#count.target);
  }

  #tick(): void {
    const at = this.#options.now();
    if (this.#count && at - this.#lookedAt >= stepMs) this.#look(this.#count, at);
  }

  #look(count: LaneCount, at: number): void {
    const { bytes, flowing } = this.#options.view();
    count.observe({ at, bytes, flowing });
    this.#assign(count.target);
  }

  #assign(target: number): void {
    for (;;) {
      const { lanes, missing, waiting, rates, bytes } = this.#options.view();
      if (lanes.length >= Math.min(target, this.#most)) return;
      const mirror = this.#options.next();
      if (mirror === undefined) return;
      const rate = rates.get(mirror) ?? this.#rates.get(mirror);
      const situation: Situation = {
        missing,
        lanes,
        waiting,
        until: Number.POSITIVE_INFINITY,
        rate: rate ?? this.#rate,
        untried: rate === undefined,
        latency: this.#latency,
      };
      const sizes = { ...segmentSizes, maxBytes: this.#mostBytes(situation.rate, bytes) };
      const range = nextSegment(situation, sizes);
      if (!range) return;
      this.#tried = true;
      this.#options.ask(range);
    }
  }

  /**
   * The longest part: little at first, because what one connection brings says little of what each of
   * several will, and then the more the more has come.
   */
  #mostBytes(rate: number, brought: number): number {
    const { maxBytes, latencies } = segmentSizes;
    const known = Math.max(leastBytes, brought / 2, rate * this.#latency * latencies);
    return Math.floor(Math.min(maxBytes, known));
  }
}
