import type { ByteRange } from './core/body.ts';
import { RangeSet } from './policy/byte-range.ts';

/** The last bytes that are missing: where most of a file is missing at its end, that is the most. */
export function lastGap(ranges: readonly ByteRange[], size: number): ByteRange {
  const there = new RangeSet();
  for (const range of ranges) there.add(range);
  // Where nothing is missing the last byte shows that the representation is still the same.
  const end = { first: size - 1, last: size - 1 };
  return there.missing({ first: 0, last: size - 1 }).at(-1) ?? end;
}
