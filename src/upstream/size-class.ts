import type { UpstreamPurpose } from '../core/upstream-observer.ts';
import { MovingAverage } from './moving-average.ts';

/** What is learned of a mirror with bodies of one size says little of its speed with others. */
export const sizeClasses = ['tiny', 'small', 'medium', 'large'] as const;
export type SizeClass = (typeof sizeClasses)[number];

/** The first size, in bytes, that belongs to the next class. */
const bounds: readonly (readonly [SizeClass, number])[] = [
  ['tiny', 64 * 1024],
  ['small', 1024 * 1024],
  ['medium', 16 * 1024 * 1024],
];

export function sizeClassOf(bytes: number): SizeClass {
  return bounds.find(([, bound]) => bytes < bound)?.[0] ?? 'large';
}

/** The classes from the nearest to the farthest, the class itself first. */
export function nearestClasses(sizeClass: SizeClass): readonly SizeClass[] {
  const at = sizeClasses.indexOf(sizeClass);
  return sizeClasses.toSorted(
    (a, b) => Math.abs(sizeClasses.indexOf(a) - at) - Math.abs(sizeClasses.indexOf(b) - at),
  );
}

/** Where nothing is known yet. */
const usualBytes = 64 * 1024;

/** How large the bodies of an ecosystem's kinds are, for requests whose answer is not known yet. */
export class ExpectedSizes {
  readonly #logarithms = new Map<string, MovingAverage>();

  observe(purpose: UpstreamPurpose | undefined, bytes: number, now: number): void {
    const key = keyOf(purpose);
    const known = this.#logarithms.get(key) ?? new MovingAverage();
    this.#logarithms.set(key, known);
    // The mean of logarithms: one giant does not make all the others large.
    known.observe(Math.log2(Math.max(1, bytes)), now);
  }

  /** Bytes. */
  expected(purpose: UpstreamPurpose | undefined): number {
    const mean = this.#logarithms.get(keyOf(purpose))?.mean;
    return mean === undefined ? usualBytes : 2 ** mean;
  }
}

function keyOf(purpose: UpstreamPurpose | undefined): string {
  return `${purpose?.ecosystem ?? ''} ${purpose?.kind ?? ''}`;
}
