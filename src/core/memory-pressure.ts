/** How near the process is to the memory that it may have, from none upwards. */
export const pressureLevels = ['none', 'elevated', 'high', 'critical'] as const;
export type PressureLevel = (typeof pressureLevels)[number];

/** All in bytes. */
export interface MemoryFigures {
  readonly rss: number;
  readonly heapUsed: number;
  /** What the process may have as a whole. */
  readonly limit: number;
  /** What the garbage-collected heap may have. */
  readonly heapLimit: number;
}

/** What a level leaves of what the configuration allows. */
export interface Allowance {
  /** The share of the memory tier's bound. */
  readonly tier: number;
  /** The share of the parallel connections of a body, of which there is always one. */
  readonly connections: number;
}

interface Threshold {
  readonly level: PressureLevel;
  /** The shares of the limit at which the level begins, and below which it ends. */
  readonly from: number;
  readonly until: number;
}

/** The gravest first. What ends lower than it begins does not flutter. */
const thresholds: readonly Threshold[] = [
  { level: 'critical', from: 0.93, until: 0.85 },
  { level: 'high', from: 0.85, until: 0.75 },
  { level: 'elevated', from: 0.75, until: 0.65 },
];

/** The part of the limit that is used: of the process or of its heap, whichever is nearer to its end. */
export function usedShare({ rss, heapUsed, limit, heapLimit }: MemoryFigures): number {
  return Math.max(rss / limit, heapUsed / heapLimit);
}

/** The level now, from the share of the limit that is used (0 and more) and the level before. */
export function pressureLevel(share: number, previous: PressureLevel): PressureLevel {
  const before = pressureLevels.indexOf(previous);
  for (const { level, from, until } of thresholds) {
    const reached = pressureLevels.indexOf(level) <= before ? until : from;
    if (share >= reached) return level;
  }
  return 'none';
}

/** First the tier gives way, whose loss costs only speed; then the connections. */
export function allowance(level: PressureLevel): Allowance {
  switch (level) {
    case 'none':
      return { tier: 1, connections: 1 };
    case 'elevated':
      return { tier: 1 / 2, connections: 1 };
    case 'high':
      return { tier: 1 / 4, connections: 1 / 2 };
    case 'critical':
      return { tier: 1 / 16, connections: 0 };
  }
}
