/** What survives a restart. */
export interface AverageRecord {
  readonly mean: number;
  readonly weight: number;
  /** Milliseconds since the epoch of the last observation. */
  readonly at: number;
}

/** The most that the past weighs: an observation counts for at least a fifth. */
const mostWeight = 5;
/** After this time without observations half of the weight is gone, in milliseconds. */
const halfLifeMs = 600_000;

/**
 * A mean that forgets: recent observations count more, and what is old is known less well. The
 * weight is how many fresh observations the mean is worth. Time is passed in.
 */
export class MovingAverage {
  #mean: number;
  #weight: number;
  #at: number;

  constructor(record: AverageRecord = { mean: 0, weight: 0, at: 0 }) {
    this.#mean = record.mean;
    this.#weight = Math.min(record.weight, mostWeight);
    this.#at = record.at;
  }

  /** Undefined before the first observation. */
  get mean(): number | undefined {
    return this.#weight === 0 ? undefined : this.#mean;
  }

  weightAt(now: number): number {
    // A clock that was set back makes nothing better known.
    return this.#weight * 2 ** (-Math.max(0, now - this.#at) / halfLifeMs);
  }

  observe(value: number, now: number): void {
    const weight = Math.min(this.weightAt(now), mostWeight - 1) + 1;
    this.#mean += (value - this.#mean) / weight;
    this.#weight = weight;
    this.#at = now;
  }

  /** Nothing is known any more. */
  reset(): void {
    this.#mean = 0;
    this.#weight = 0;
  }

  get record(): AverageRecord {
    return { mean: this.#mean, weight: this.#weight, at: this.#at };
  }
}
