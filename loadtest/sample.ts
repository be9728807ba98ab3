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

/** What one contestant came to in one round. */
export interface Sample {
  readonly peer: string;
  readonly round: number;
  /** By the key of a column; other keys are for goals and the JSON alone. */
  readonly values: Readonly<Record<string, number>>;
  /** Wrong bytes, requests too many, a crash: the sample is void, and the run has failed. */
  readonly problems: readonly string[];
}
