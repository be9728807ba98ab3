/** Upper bounds in seconds: from a hot hit to a registry on its worst day. */
export const latencyBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

const boundsMs = latencyBounds.map((seconds) => seconds * 1000);

/** Counts of durations by bucket: an observation is a few comparisons and no allocation. */
export class LatencyHistogram {
  /** Not cumulative; one more than there are bounds, the last for what is above them all. */
  readonly buckets = new Float64Array(boundsMs.length + 1);
  count = 0;
  sumMs = 0;

  observe(milliseconds: number): void {
    let bucket = 0;
    while (bucket < boundsMs.length && milliseconds > (boundsMs[bucket] as number)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] as number) + 1;
    this.count++;
    this.sumMs += milliseconds;
  }
}
