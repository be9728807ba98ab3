import type { Problem } from './problem.ts';

/** A converted value and where it was given: `millrace.yaml:3`, `MILLRACE_DATA`, `--data`. */
export interface Given {
  readonly value: unknown;
  readonly source: string;
}

/** What one source of configuration says, by the path of the setting. */
export interface Layer {
  readonly values: ReadonlyMap<string, Given>;
  readonly problems: readonly Problem[];
}
