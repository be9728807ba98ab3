import { createHash } from 'node:crypto';

/** Pseudo-random choices that a seed repeats: mulberry32. */
export class Random {
  #state: number;

  /** Equal labels, equal choices. */
  constructor(...labels: readonly (string | number)[]) {
    this.#state = createHash('sha256').update(labels.join(' ')).digest().readUInt32LE();
  }

  /** From 0 up to 1, exclusive. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from 0 up to the limit, exclusive. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] as T;
  }
}
