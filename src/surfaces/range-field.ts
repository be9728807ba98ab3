import type { ByteRange } from '../core/body.ts';
import type { RawHeaders } from '../core/raw-headers.ts';

/** One range of bytes, as nearly all clients ask for it. RFC 9110 section 14.1.2. */
const oneRange = /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/;
const unit = 'bytes=';
const zero = 0x30;
const rangeLine = /(?:^|\r\n)range: ?(bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15}))(?=\r\n|$)/i;

/** A head's fields without its one `Range`, and the value of that. */
export interface WithoutRange<Fields> {
  readonly fields: Fields;
  readonly range: string;
}

/** The same of a block of field lines, and what in it was before and behind that value. */
export interface WithoutRangeLine extends WithoutRange<string> {
  readonly before: string;
  readonly behind: string;
}

/**
 * Takes the first line out of a block of field lines (CRLF between them, none at the end) that asks
 * for one range of bytes; undefined where there is none. What is special about the rest, a second
 * `Range` or a fold included, is still to be seen in it.
 */
export function takeRangeLine(block: string): WithoutRangeLine | undefined {
  const match = rangeLine.exec(block);
  if (match === null) return undefined;
  const [{ length }, range = ''] = match;
  const line = block.slice(0, match.index);
  const behind = block.slice(match.index + length);
  const before = block.slice(0, match.index + length - range.length);
  return { fields: line === '' ? behind.slice(2) : line + behind, range, before, behind };
}

/** Whether a value asks for one range, as those do that are taken out of heads. */
export function isOneRange(range: string): boolean {
  return oneRange.test(range);
}

/**
 * The bytes that such a value selects of `size`; undefined where these are not one range of them. RFC
 * 9110 section 14.1.2: as `selectRanges` says, in a tenth of the time.
 */
export function partOf(range: string, size: number): ByteRange | undefined {
  const dash = range.indexOf('-');
  const hasLast = dash + 1 < range.length;
  if (dash === unit.length) {
    const length = numberAt(range, dash + 1, range.length);
    return length === 0 || size === 0
      ? undefined
      : { first: Math.max(0, size - length), last: size - 1 };
  }
  const first = numberAt(range, unit.length, dash);
  const last = hasLast ? numberAt(range, dash + 1, range.length) : size - 1;
  if (first >= size || last < first) return undefined;
  return { first, last: Math.min(last, size - 1) };
}

/** The number that these digits are: at most fifteen of them. */
function numberAt(text: string, start: number, end: number): number {
  let number = 0;
  for (let i = start; i < end; i += 1) number = number * 10 + text.charCodeAt(i) - zero;
  return number;
}

/** Takes the one range out of fields that the HTTP parser has read. */
export function takeRangeField(headers: RawHeaders): WithoutRange<RawHeaders> | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'range') continue;
    const range = headers[i + 1] as string;
    if (!oneRange.test(range)) return undefined;
    return { fields: [...headers.slice(0, i), ...headers.slice(i + 2)], range };
  }
  return undefined;
}
