import type { UpstreamPurpose } from '../core/upstream-observer.ts';
import { MovingAverage } from './moving-average.ts';

/** What is learned of a mirror with bodies of one size says little of its speed with others. */
export const sizeClasses = ['tiny', 'small', 'medium', 'large'] as const;
export type SizeClass = (typeof sizeClasses)[number];

export function sizeClassOf(bytes: number): SizeClass {
  if (bytes < 64 * 1024) return 'tiny';
  if (bytes < 1024 * 1024) return 'small';
  return bytes < 16 * 1024 * 1024 ? 'medium' : 'large';
}

const nearest: Readonly<Record<SizeClass, readonly SizeClass[]>> = {
  tiny: ['tiny', 'small', 'medium', 'large'],
  small: ['small', 'tiny', 'medium', 'large'],
  medium: ['medium', 'small', 'large', 'tiny'],
  large: ['large', 'medium', 'small', 'tiny'],
};

/** The classes from the nearest to the farthest, the class itself first. */
export function nearestClasses(sizeClass: SizeClass): readonly SizeClass[] {
  return nearest[sizeClass];
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
