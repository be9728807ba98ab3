/** What a byte size may look like, for error messages and documentation. */
export const byteSizeHint =
  'a size such as 512KiB, 256MiB, 20GiB or 1GB, or a plain number of bytes';

const factors: Readonly<Record<string, number>> = {
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
};

/** Largest first; where two are equally short, the earlier one is written. */
const written = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['', 1],
] as const;

/**
 * Bytes of a text such as `256MiB` (1024-based), `1GB` (1000-based) or `4096`, rounded to a whole
 * number; undefined when it is none (say `byteSizeHint`). Units in any case; bare `K` or `M` are
 * refused, because they mean either base.
 */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]{0,3})$/i.exec(text.trim());
  if (!match) return undefined;
  const [, digits = '', unit = ''] = match;
  const factor = unit === '' ? 1 : factors[unit.toLowerCase()];
  if (factor === undefined) return undefined;
  const bytes = Math.round(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact text for a whole number of bytes; `parseByteSize` gives the number back. */
export function formatByteSize(bytes: number): string {
  if (bytes === 0) return '0';
  let best: string | undefined;
  for (const [unit, factor] of written) {
    if (bytes % factor !== 0) continue;
    const text = `${bytes / factor}${unit}`;
    if (best === undefined || text.length < best.length) best = text;
  }
  return best ?? String(bytes);
}
