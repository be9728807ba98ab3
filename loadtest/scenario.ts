import type { Bench } from './bench.ts';
import type { CacheSettings, Contestant } from './peers/peer.ts';
import type { Summary } from './report/summary.ts';

/** A figure that a scenario takes of each contestant in each round. */
export interface Column {
  readonly key: string;
  readonly label: string;
  readonly decimals: number;
}

/** A column that contestants are compared by. */
export interface Comparison {
  readonly key: string;
  readonly better: 'more' | 'less';
  /** What the ratio is called when it is not the first one. */
  readonly label?: string;
}

/** What Millrace is to reach. */
export interface Goal {
  readonly text: string;
  /** Undefined where it cannot be said, such as a ratio to a peer that is not there. */
  readonly value: (summary: Summary) => number | undefined;
  readonly decimals: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** What one contestant came to in one round. */
export interface Sample {
  readonly peer: string;
  readonly round: number;
  /** By the key of a column; other keys are for goals and the JSON alone. */
  readonly values: Readonly<Record<string, number>>;
  /** Wrong bytes, requests too many, a crash: the sample is void, and the run has failed. */
  readonly problems: readonly string[];
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
