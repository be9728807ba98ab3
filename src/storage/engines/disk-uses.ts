/**
 * When keys were last used, by a logical clock, until that is written: reading notes it here and
 * writes nothing.
 */
export class DiskUses {
  readonly #pending = new Map<string, number>();
  readonly #base: number;
  /** Counted from zero, so that noting a use again allocates nothing. */
  #ticks = 0;

  /** `base` is the latest use that is stored. */
  constructor(base: number) {
    this.#base = base;
  }

  /** Keys whose use waits to be written. */
  get size(): number {
    return this.#pending.size;
  }

  note(key: string): void {
    this.#pending.set(key, ++this.#ticks);
  }

  /** The time of now: later than all before. */
  now(): number {
    return this.#base + ++this.#ticks;
  }

  /** Takes the pending use of a key. */
  take(key: string): number | undefined {
    const tick = this.#pending.get(key);
    if (tick === undefined) return undefined;
    this.#pending.delete(key);
    return this.#base + tick;
  }

  /** Takes up to `limit` pending uses. */
  takeSome(limit: number): [key: string, used: number][] {
    const taken: [string, number][] = [];
    for (const [key, tick] of this.#pending) {
      if (taken.length === limit) break;
      taken.push([key, this.#base + tick]);
      this.#pending.delete(key);
    }
    return taken;
  }
}
