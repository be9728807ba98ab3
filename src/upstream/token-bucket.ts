/** How much may come at once after a rest, in milliseconds of the rate. */
const burstMs = 100;
const leastBurstBytes = 64 * 1024;

/**
 * A bandwidth limit. What has arrived is taken, into debt if need be, and the caller then waits until
 * the debt is paid: bytes are never held back in memory. Time is passed in, in milliseconds.
 */
export class TokenBucket {
  readonly bytesPerSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(bytesPerSecond: number, now: number) {
    this.bytesPerSecond = bytesPerSecond;
    this.#burst = Math.max(leastBurstBytes, (bytesPerSecond * burstMs) / 1000);
    this.#tokens = this.#burst;
    this.#at = now;
  }

  /** Takes the bytes; how long to wait before the next ones, in milliseconds. */
  take(bytes: number, now: number): number {
    const elapsed = Math.max(0, now - this.#at);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed * this.bytesPerSecond) / 1000);
    this.#at = now;
    this.#tokens -= bytes;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.bytesPerSecond) * 1000;
  }
}
