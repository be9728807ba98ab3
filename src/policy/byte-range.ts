import type { ByteRange } from '../core/body.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import { soleValue, strongEtag } from './conditional.ts';
import { parseHttpDate } from './http-date.ts';

export type RangeSelection =
  | { readonly kind: 'whole' }
  | { readonly kind: 'ranges'; readonly ranges: readonly ByteRange[] }
  | { readonly kind: 'unsatisfiable' };

/** More ranges than this in one request are no use to a client that means well. */
const maxRanges = 32;

const whole: RangeSelection = { kind: 'whole' };

/**
 * What a `Range` field selects of a representation of `size` bytes. An unknown unit, a malformed
 * value and more than 32 ranges select the whole, as RFC 9110 section 14.2 allows. Ranges that
 * overlap or touch are joined (section 15.3.7), so that no byte is sent twice; apart from that they
 * stay in the order asked for.
 */
export function selectRanges(rangeValue: string | undefined, size: number): RangeSelection {
  const match = /^\s*bytes\s*=(.*)$/i.exec(rangeValue ?? ''); // 14.1: units ignore case
  if (!match) return whole;
  const specifiers = (match[1] as string).split(',');
  if (specifiers.length > maxRanges) return whole;
  let ranges: readonly ByteRange[] = [];
  let asked = false;
  for (const specifier of specifiers) {
    const text = specifier.trim();
    if (text === '') continue; // RFC 9110 section 5.6.1.2
    const range = parseSpecifier(text, size);
    if (range === 'whole') return whole;
    if (range !== 'unsatisfiable') ranges = joined(ranges, range);
    asked = true;
  }
  if (!asked) return whole;
  return ranges.length > 0 ? { kind: 'ranges', ranges } : { kind: 'unsatisfiable' };
}

/** RFC 9110 sections 14.1.1 and 14.1.2; `whole` for what is malformed. */
function parseSpecifier(text: string, size: number): ByteRange | 'unsatisfiable' | 'whole' {
  const match = /^(\d*)-(\d*)$/.exec(text);
  if (!match || text === '-') return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (Number(last) === 0) return 'unsatisfiable';
    // A suffix of nothing is satisfiable, but no Content-Range can say so.
    return size === 0 ? 'whole' : { first: Math.max(0, size - Number(last)), last: size - 1 };
  }
  const from = Number(first);
  const to = last === '' ? Infinity : Number(last);
  if (to < from) return 'whole';
  return from < size ? { first: from, last: Math.min(to, size - 1) } : 'unsatisfiable';
}

/**
 * Adds a range to ranges that do not touch each other, in the place of the first that it overlaps or
 * touches. The union of those is one piece, so it touches none of the others.
 */
function joined(ranges: readonly ByteRange[], added: ByteRange): readonly ByteRange[] {
  let { first, last } = added;
  let place: number | undefined;
  const result: ByteRange[] = [];
  for (const range of ranges) {
    if (range.first > added.last + 1 || added.first > range.last + 1) {
      result.push(range);
      continue;
    }
    place ??= result.length;
    first = Math.min(first, range.first);
    last = Math.max(last, range.last);
  }
  return result.toSpliced(place ?? result.length, 0, { first, last });
}

/**
 * Whether `If-Range` lets the ranges be served from this response; without the field it does. Strong
 * comparison only; a date counts when it is the response's very Last-Modified and that is at least a
 * second older than its Date. RFC 9110 sections 13.1.5 and 8.8.2.2.
 */
export function ifRangeMatches(value: string | undefined, headers: RawHeaders): boolean {
  if (value === undefined) return true;
  const condition = value.trim();
  if (condition.startsWith('"')) return condition === strongEtag(headers);
  const modifiedText = soleValue(headers, 'last-modified');
  if (modifiedText === undefined || condition !== modifiedText) return false;
  const modified = parseHttpDate(modifiedText);
  const date = parseHttpDate(soleValue(headers, 'date') ?? '');
  return modified !== undefined && date !== undefined && date - modified >= 1000;
}

/**
 * A `Content-Range` of bytes; `size` is undefined for an unknown length. Undefined when it is
 * malformed, of another unit, or says that a range was not satisfied. RFC 9110 section 14.4.
 */
export function parseContentRange(
  value: string,
):
  | { readonly first: number; readonly last: number; readonly size: number | undefined }
  | undefined {
  const match = /^\s*bytes[ \t]+(\d+)-(\d+)\/(\d+|\*)\s*$/i.exec(value);
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2])];
  const size = match[3] === '*' ? undefined : Number(match[3]);
  if (last < first || !Number.isSafeInteger(last)) return undefined;
  if (size !== undefined && (size <= last || !Number.isSafeInteger(size))) return undefined;
  return { first, last, size };
}

/** The `Content-Range` of a 206. RFC 9110 section 14.4. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.first}-${range.last}/${size}`;
}

/** The `Content-Range` of a 416. RFC 9110 section 14.4. */
export function unsatisfiedRange(size: number): string {
  return `bytes */${size}`;
}

/**
 * The bytes of a body that are present, as few runs as possible. For programmers' mistakes (bounds
 * that are not whole numbers, or in the wrong order) `add` throws a RangeError.
 */
export class RangeSet {
  /** Sorted; no two touch. */
  readonly #runs: ByteRange[] = [];
  #bytes = 0;

  /** How many bytes are present. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The runs in order: a copy that later additions do not change. */
  ranges(): readonly ByteRange[] {
    return this.#runs.slice();
  }

  /** Adds bytes, those that are present already included. */
  add(range: ByteRange): void {
    let { first, last } = range;
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 0 || last < first) {
      throw new RangeError('a byte range needs whole positions in order');
    }
    const from = this.#firstRunEndingAt(first - 1);
    let to = from;
    for (
      let run = this.#runs[to];
      run !== undefined && run.first <= last + 1;
      run = this.#runs[to]
    ) {
      first = Math.min(first, run.first);
      last = Math.max(last, run.last);
      this.#bytes -= run.last - run.first + 1;
      to += 1;
    }
    this.#bytes += last - first + 1;
    this.#runs.splice(from, to - from, { first, last });
  }

  /** Position behind the run of present bytes that holds `position`; `position` when it is absent. */
  runEnd(position: number): number {
    const run = this.#runs[this.#firstRunEndingAt(position)];
    return run !== undefined && run.first <= position ? run.last + 1 : position;
  }

  /** Whether all bytes of the range are present. */
  has(range: ByteRange): boolean {
    return this.runEnd(range.first) > range.last;
  }

  /** What is absent of the range, in order. */
  missing(within: ByteRange): ByteRange[] {
    const gaps: ByteRange[] = [];
    let position = within.first;
    for (let i = this.#firstRunEndingAt(position); position <= within.last; i += 1) {
      const run = this.#runs[i];
      const gapLast = Math.min(within.last, (run?.first ?? Infinity) - 1);
      if (position <= gapLast) gaps.push({ first: position, last: gapLast });
      position = (run?.last ?? Infinity) + 1;
    }
    return gaps;
  }

  /** Index of the first run whose last byte is at `position` or behind it. */
  #firstRunEndingAt(position: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle] as ByteRange).last < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
