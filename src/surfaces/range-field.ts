import type { RawHeaders } from '../core/raw-headers.ts';

/** One range of bytes, as nearly all clients ask for it. RFC 9110 section 14.1.2. */
const oneRange = /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/;
const rangeLine = /(?:^|\r\n)range: ?(bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15}))(?=\r\n|$)/i;

/** A head's fields without its one `Range`, and the value of that. */
export interface WithoutRange<Fields> {
  readonly fields: Fields;
  readonly range: string;
}

/**
 * Takes the first line out of a block of field lines (CRLF between them, none at the end) that asks
 * for one range of bytes; undefined where there is none. What is special about the rest, a second
 * `Range` or a fold included, is still to be seen in it.
 */
export function takeRangeLine(block: string): WithoutRange<string> | undefined {
  const match = rangeLine.exec(block);
  if (match === null) return undefined;
  const [{ length }, range = ''] = match;
  const before = block.slice(0, match.index);
  const after = block.slice(match.index + length);
  return { fields: before === '' ? after.slice(2) : before + after, range };
}

/** The same of fields that the HTTP parser has read. */
export function takeRangeField(headers: RawHeaders): WithoutRange<RawHeaders> | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'range') continue;
    const range = headers[i + 1] as string;
    if (!oneRange.test(range)) return undefined;
    return { fields: [...headers.slice(0, i), ...headers.slice(i + 2)], range };
  }
  return undefined;
}
