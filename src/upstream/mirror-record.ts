import type { MirrorFault } from '../core/mirror-figures.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { DelayDistribution } from './delay-distribution.ts';
import { type AverageRecord, MovingAverage } from './moving-average.ts';
import { nearestClasses, type SizeClass, sizeClasses } from './size-class.ts';

/** What is known of bodies of one size class. */
export interface ClassAverages {
  readonly firstByteMs: MovingAverage;
  /** Bytes per second of one connection that is alone. */
  readonly throughput: MovingAverage;
  /** 1 for a failure, 0 for a success. */
  readonly failures: MovingAverage;
}

/** A mirror as it survives a restart. */
export interface MirrorMemory {
  readonly connectMs: AverageRecord;
  readonly gain: AverageRecord;
  readonly classes: Readonly<Partial<Record<SizeClass, ClassMemory>>>;
}

export interface ClassMemory {
  readonly firstByteMs: AverageRecord;
  readonly throughput: AverageRecord;
  readonly failures: AverageRecord;
}

/** A body that has come to its end, or as far as it came. */
export interface Transfer {
  readonly bytes: number;
  /** Without the time in which the reader had paused it. */
  readonly ms: number;
  /** Requests to the mirror beside this one, on average. */
  readonly beside: number;
}

/** Time to completion, in milliseconds, and what it is made of. */
export interface Estimate {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly transferMs: number;
  readonly failureRate: number;
  /** Fresh observations that it is worth; 0 to 5. */
  readonly weight: number;
}

/** An idle connection is kept for about that long. */
const connectionKeptMs = 25_000;
/** What is known of another size class counts for half. */
const otherClassWeight = 0.5;
/** Less says more of latency than of throughput. */
const leastMeasuredBytes = 16 * 1024;

/** Refusals in a row that its being crowded explains. */
const mostCrowded = 2;

/** All that is known of one mirror. Times in milliseconds, passed in. */
export class MirrorRecord {
  readonly breaker = new CircuitBreaker();
  readonly connectMs: MovingAverage;
  /** Throughput per connection with others beside it, as a share of that alone. */
  readonly gain: MovingAverage;
  readonly classes: Readonly<Record<SizeClass, ClassAverages>>;
  readonly connectDelays = new DelayDistribution();
  readonly firstByteDelays = new DelayDistribution();
  /** The longest silence within each body. */
  readonly silences = new DelayDistribution();
  readonly faults = new Map<MirrorFault, number>();
  requests = 0;
  failures = 0;
  bytes = 0;
  hedges = 0;
  /** Requests at a time, as last used. */
  places: number | undefined;
  #lastUsed = Number.NEGATIVE_INFINITY;
  /** Refusals in a row beside requests that were served. */
  #crowded = 0;

  constructor(memory?: MirrorMemory) {
    this.connectMs = new MovingAverage(memory?.connectMs);
    this.gain = new MovingAverage(memory?.gain);
    this.classes = Object.fromEntries(
      sizeClasses.map((name) => [
        name,
        {
          firstByteMs: new MovingAverage(memory?.classes[name]?.firstByteMs),
          throughput: new MovingAverage(memory?.classes[name]?.throughput),
          failures: new MovingAverage(memory?.classes[name]?.failures),
        },
      ]),
    ) as Record<SizeClass, ClassAverages>;
  }

  connected(ms: number, now: number): void {
    this.connectMs.observe(ms, now);
    this.connectDelays.observe(ms);
  }

  /** The head of a response that is of use. */
  answered(sizeClass: SizeClass, ms: number, now: number): void {
    this.#lastUsed = now;
    this.classes[sizeClass].firstByteMs.observe(ms, now);
    this.firstByteDelays.observe(ms);
  }

  /** No head after that time, when it was given up for another mirror: it takes at least as long. */
  late(sizeClass: SizeClass, ms: number, now: number): void {
    const { mean = 0 } = this.classes[sizeClass].firstByteMs;
    this.classes[sizeClass].firstByteMs.observe(Math.max(ms, mean), now);
    this.firstByteDelays.observe(ms);
  }

  transferred(sizeClass: SizeClass, { bytes, ms, beside }: Transfer, now: number): void {
    this.#lastUsed = now;
    if (bytes < leastMeasuredBytes || ms <= 0) return;
    const rate = (bytes / ms) * 1000;
    const { throughput } = this.classes[sizeClass];
    const alone = throughput.mean;
    if (beside < 0.5 || alone === undefined) {
      throughput.observe(rate, now);
      return;
    }
    // What is lost by sharing is the gain's; what remains tells whether the mirror itself changed.
    this.gain.observe(Math.min(1.5, Math.max(0.01, rate / alone)), now);
    throughput.observe(rate / (this.gain.mean ?? 1), now);
  }

  succeeded(sizeClass: SizeClass, now: number): void {
    this.#crowded = 0;
    // What it did before its pause says little of what it does after it.
    if (this.breaker.succeeded(now))
      for (const name of sizeClasses) this.classes[name].failures.reset();
    this.classes[sizeClass].failures.observe(0, now);
  }

  /** It refused one more request while it serves others: not so many at once, it may mean. */
  crowded(sizeClass: SizeClass, now: number): void {
    this.#crowded += 1;
    if (this.#crowded > mostCrowded) this.failed(sizeClass, false, now);
  }

  failed(sizeClass: SizeClass, severe: boolean, now: number): void {
    this.failures += 1;
    this.classes[sizeClass].failures.observe(1, now);
    this.breaker.failed(now, severe);
  }

  /** It asked to be left alone, for that long where it says so. */
  throttled(sizeClass: SizeClass, pauseMs: number | undefined, now: number): void {
    this.failures += 1;
    this.classes[sizeClass].failures.observe(1, now);
    this.breaker.pause(now, pauseMs);
  }

  /**
   * What a body of so many bytes would take, with `active` requests under way. `usualRate` stands in
   * for a throughput that is not known, in bytes per second. Undefined: nothing is known.
   */
  estimate(
    sizeClass: SizeClass,
    bytes: number,
    { now, active, usualRate }: { now: number; active: number; usualRate: number },
  ): Estimate | undefined {
    const known = nearestClasses(sizeClass).find(
      (name) => this.classes[name].firstByteMs.mean !== undefined,
    );
    if (known === undefined) return undefined;
    const { firstByteMs, failures } = this.classes[known];
    const alone = this.rate(sizeClass) ?? usualRate;
    const rate = active > 0 ? alone * (this.gain.mean ?? 1) : alone;
    const warm = active === 0 && now - this.#lastUsed < connectionKeptMs;
    const ownFailures = this.classes[sizeClass].failures.mean ?? failures.mean ?? 0;
    return {
      connectMs: warm ? 0 : (this.connectMs.mean ?? 0),
      firstByteMs: firstByteMs.mean ?? 0,
      transferMs: (bytes / rate) * 1000,
      failureRate: ownFailures,
      weight: firstByteMs.weightAt(now) * (known === sizeClass ? 1 : otherClassWeight),
    };
  }

  /** Bytes per second of one connection, from the nearest class that knows it. */
  rate(sizeClass: SizeClass): number | undefined {
    for (const name of nearestClasses(sizeClass)) {
      const { mean } = this.classes[name].throughput;
      if (mean !== undefined) return mean;
    }
    return undefined;
  }

  get memory(): MirrorMemory {
    const classes: Partial<Record<SizeClass, ClassMemory>> = {};
    for (const name of sizeClasses) {
      const { firstByteMs, throughput, failures } = this.classes[name];
      if (firstByteMs.mean === undefined && failures.mean === undefined) continue;
      classes[name] = {
        firstByteMs: firstByteMs.record,
        throughput: throughput.record,
        failures: failures.record,
      };
    }
    return { connectMs: this.connectMs.record, gain: this.gain.record, classes };
  }
}
