import type { Bench } from './bench.ts';
import type { CacheSettings } from './cache-settings.ts';
import type { Contestant } from './peers/peer.ts';
import type { Summary } from './report/summary.ts';
import type { Column, Comparison, Sample } from './sample.ts';

/** What Millrace is to reach. */
export interface Goal {
  readonly text: string;
  /** Undefined where it cannot be said, such as a ratio to a peer that is not there. */
  readonly value: (summary: Summary) => number | undefined;
  readonly decimals: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/**
 * How much of a scenario: `smoke` looks at correctness alone, `quick` is half as long where the length
 * is a choice, `full` has the long forms where there are any.
 */
export type Form = 'smoke' | 'quick' | 'usual' | 'full';

export interface Round {
  readonly bench: Bench;
  /** From 0. */
  readonly number: number;
  readonly form: Form;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly rounds: number;
  /** One round whatever is asked for: it takes long, and its figures hardly spread. */
  readonly once?: boolean;
  /** Names of the peers that make sense besides Millrace. */
  readonly peers: readonly string[];
  readonly settings: CacheSettings;
  /** New processes for every round, not just for every scenario. */
  readonly freshEachRound?: boolean;
  readonly columns: readonly Column[];
  /** Columns that ratios are made of. */
  readonly compared: readonly Comparison[];
  readonly goals: readonly Goal[];
  /** Measures all contestants, in this order: it differs from round to round. */
  run(round: Round, contestants: readonly Contestant[]): Promise<readonly Sample[]>;
}
