/** What a duration may look like, for error messages and documentation. */
export const durationHint = 'a duration such as 500ms, 30s, 10m, 1h or 7d';

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/**
 * Milliseconds of a text such as `500ms`, `30s`, `1.5h` or `7d`, rounded to a whole number; undefined
 * when it is none (say `durationHint`). A number without a unit is refused, but for `0`.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) return text.trim() === '0' ? 0 : undefined;
  const [, digits = '', unit = ''] = match;
  const factor = units.find(([name]) => name === unit)?.[1] ?? 1;
  const ms = Math.round(Number(digits) * factor);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The exact text in the largest unit that divides it: 90 000 is `90s`; whole milliseconds. */
export function formatDuration(ms: number): string {
  for (const [unit, factor] of units) {
    if (ms !== 0 && ms % factor === 0) return `${ms / factor}${unit}`;
  }
  return '0s';
}
