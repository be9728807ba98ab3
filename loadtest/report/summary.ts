import type { Comparison, Sample } from '../sample.ts';

/** Names of what counts as one opponent: the better of them is what Millrace is compared with. */
const opponents: Readonly<Record<string, readonly string[]>> = {
  nginx: ['nginx', 'nginx-copy'],
  aria2: ['aria2'],
  verdaccio: ['verdaccio'],
  direct: ['direct'],
};

/** Several rounds of a figure. */
export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function figureOf(values: readonly number[]): Figure | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (least === undefined || most === undefined || upper === undefined || lower === undefined) {
    return undefined;
  }
  return { median: (lower + upper) / 2, least, most };
}

/** All samples of a scenario; void ones count for nothing. */
export class Summary {
  readonly samples: readonly Sample[];
  readonly #valid: readonly Sample[];

  constructor(samples: readonly Sample[]) {
    this.samples = samples;
    this.#valid = samples.filter(({ problems }) => problems.length === 0);
  }

  get peers(): readonly string[] {
    return [...new Set(this.samples.map(({ peer }) => peer))];
  }

  figure(peer: string, key: string): Figure | undefined {
    return figureOf(
      this.#valid.flatMap((sample) => {
        const value = sample.peer === peer ? sample.values[key] : undefined;
        return value === undefined ? [] : [value];
      }),
    );
  }

  median(peer: string, key: string): number | undefined {
    return this.figure(peer, key)?.median;
  }

  most(peer: string, key: string): number | undefined {
    return this.figure(peer, key)?.most;
  }

  /**
   * How much better `peer` is than the opponent, over 1 for better: made within each round, because
   * what else the machine does changes from one to the next.
   */
  ratio(peer: string, opponent: string, { key, better }: Comparison): Figure | undefined {
    const sign = better === 'more' ? 1 : -1;
    const rivals = opponents[opponent] ?? [];
    const ratios = this.#valid.flatMap((sample) => {
      if (sample.peer !== peer) return [];
      const own = sample.values[key];
      const theirs = this.#valid
        .filter((other) => other.round === sample.round && rivals.includes(other.peer))
        .flatMap(({ values }) => values[key] ?? []);
      if (own === undefined || theirs.length === 0) return [];
      const best = sign > 0 ? Math.max(...theirs) : Math.min(...theirs);
      return [(own / best) ** sign];
    });
    return figureOf(ratios);
  }
}
