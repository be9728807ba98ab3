import type { Outcome } from './results-file.ts';
import { type Figure, Summary } from './summary.ts';

/** Whom a baseline has ratios to. */
const opponents = ['nginx', 'aria2'] as const;

/** Share of a ratio that may be lost before it counts, unless another is given. */
export const usualTolerance = 0.15;

/** Ratios of Millrace by what they are of: `hot-1k: rate, nginx`. */
export type Ratios = Readonly<Record<string, Figure>>;

/** Committed: what a run came to that later ones are compared with, by the form of the run. */
export type Baseline = Readonly<
  Record<string, { readonly takenOn: string; readonly machine: string; readonly ratios: Ratios }>
>;

/** What became of one ratio. */
export interface Comparison {
  readonly name: string;
  readonly before: number;
  readonly now: Figure | undefined;
  /** Share that was lost: 0.2 where 1 has become 0.8; below zero where it was won. */
  readonly loss: number;
  readonly verdict: 'kept' | 'fell' | 'missing';
}

/** The ratios of a run; void samples count for nothing. */
export function ratiosOf(outcomes: readonly Outcome[]): Ratios {
  return Object.fromEntries(
    outcomes.flatMap(({ scenario, samples }) => {
      const summary = new Summary(samples);
      return scenario.compared.flatMap((comparison) =>
        opponents.flatMap((opponent) => {
          const ratio = summary.ratio('millrace', opponent, comparison);
          return ratio
            ? [[`${scenario.name}: ${comparison.key}, ${opponent}`, ratio] as const]
            : [];
        }),
      );
    }),
  );
}

/** Those of these scenarios. */
export function ratiosAmong(ratios: Ratios, scenarios: readonly string[]): Ratios {
  return Object.fromEntries(
    Object.entries(ratios).filter(([name]) => scenarios.includes(name.split(':', 1)[0] ?? '')),
  );
}

/**
 * Compares each ratio of the baseline with the run's. It fell where even the best of the run's rounds
 * is more than the tolerance below: what the rounds differ by among themselves is no one's fault.
 * A ratio of the baseline that the run has not counts as missing, so that nothing ends unseen.
 */
export function compare(
  baseline: Ratios,
  run: Ratios,
  tolerance = usualTolerance,
): readonly Comparison[] {
  return Object.entries(baseline).map(([name, { median: before }]) => {
    const now = run[name];
    if (!now) return { name, before, now, loss: 1, verdict: 'missing' };
    const loss = 1 - now.median / before;
    return {
      name,
      before,
      now,
      loss,
      verdict: now.most < before * (1 - tolerance) ? 'fell' : 'kept',
    };
  });
}
