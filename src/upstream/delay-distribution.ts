/** Upper bound of the first bucket in milliseconds; each next one is a quarter wider. */
const firstBound = 0.25;
const step = 1.25;
const bucketCount = 64;
/** Fewer observations say nothing of the rare ones. */
const leastObservations = 20;
/** At this many, all counts are halved: what is long past fades. */
const mostObservations = 256;

/** How long something takes, as counts in buckets of growing width: 512 bytes, no allocation. */
export class DelayDistribution {
  readonly #counts = new Float64Array(bucketCount);
  #total = 0;

  observe(milliseconds: number): void {
    const bucket = Math.ceil(
      Math.log(Math.max(milliseconds, firstBound) / firstBound) / Math.log(step),
    );
    const index = Math.min(bucketCount - 1, bucket);
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#total += 1;
    if (this.#total < mostObservations) return;
    for (let i = 0; i < bucketCount; i += 1) this.#counts[i] = (this.#counts[i] as number) / 2;
    this.#total /= 2;
  }

  /**
   * The delay that the share `q` (0 to 1) does not exceed, to a quarter: the upper bound of its
   * bucket. Undefined with fewer than 20 observations.
   */
  quantile(q: number): number | undefined {
    if (this.#total < leastObservations) return undefined;
    let sum = 0;
    for (let i = 0; i < bucketCount; i += 1) {
      sum += this.#counts[i] as number;
      if (sum >= q * this.#total) return firstBound * step ** i;
    }
    return firstBound * step ** (bucketCount - 1);
  }
}
