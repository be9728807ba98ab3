/** A member's bare item; parameters are read and dropped. RFC 8941 section 3.3. */
export type StructuredItem =
  | { readonly type: 'integer' | 'decimal'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'bytes'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'inner-list' };

const key = /[a-z*][a-z0-9_.*-]*/y;
const number = /(-?)(\d+)(?:\.(\d+))?/y;
const string = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const token = /[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*/y;
const bytes = /:([A-Za-z0-9+/]*={0,2}):/y;
const boolean = /\?([01])/y;
const ows = /[ \t]*/y;
const spaces = / */y;

/**
 * The members of a Dictionary, the last of repeated keys, or undefined where the text is not one:
 * a single fault makes the whole field invalid. An empty text is a Dictionary without members.
 * RFC 8941 section 4.2.2.
 */
export function parseDictionary(text: string): ReadonlyMap<string, StructuredItem> | undefined {
  const members = new Map<string, StructuredItem>();
  const cursor: Cursor = { text, at: 0 };
  take(cursor, spaces);
  while (cursor.at < cursor.text.length) {
    const name = take(cursor, key)?.[0];
    if (name === undefined) return undefined;
    const item = skip(cursor, '=')
      ? parseMember(cursor)
      : ({ type: 'boolean', value: true } as const);
    if (item === undefined || !skipParameters(cursor)) return undefined;
    members.set(name, item);
    take(cursor, ows);
    if (cursor.at === cursor.text.length) break;
    if (!skip(cursor, ',')) return undefined;
    take(cursor, ows);
    if (cursor.at === cursor.text.length) return undefined; // a trailing comma
  }
  return members;
}

interface Cursor {
  readonly text: string;
  at: number;
}

/** Matches at the cursor and moves it behind; the shared expressions keep no state between calls. */
function take(cursor: Cursor, expression: RegExp): RegExpExecArray | undefined {
  expression.lastIndex = cursor.at;
  const match = expression.exec(cursor.text);
  if (!match) return undefined;
  cursor.at += match[0].length;
  return match;
}

function skip(cursor: Cursor, char: string): boolean {
  if (cursor.text[cursor.at] !== char) return false;
  cursor.at += 1;
  return true;
}

/** RFC 8941 section 4.2.1.1. */
function parseMember(cursor: Cursor): StructuredItem | undefined {
  return skip(cursor, '(') ? parseInnerList(cursor) : parseBareItem(cursor);
}

/** RFC 8941 section 4.2.1.2, after the opening parenthesis. */
function parseInnerList(cursor: Cursor): StructuredItem | undefined {
  for (;;) {
    take(cursor, spaces);
    if (skip(cursor, ')')) return { type: 'inner-list' };
    if (!parseBareItem(cursor) || !skipParameters(cursor)) return undefined;
    const next = cursor.text[cursor.at];
    if (next !== ' ' && next !== ')') return undefined;
  }
}

/** RFC 8941 section 4.2.3.2; false when they are malformed. */
function skipParameters(cursor: Cursor): boolean {
  while (skip(cursor, ';')) {
    take(cursor, spaces);
    if (!take(cursor, key)) return false;
    if (skip(cursor, '=') && !parseBareItem(cursor)) return false;
  }
  return true;
}

/** RFC 8941 section 4.2.3.1. */
function parseBareItem(cursor: Cursor): StructuredItem | undefined {
  const numeric = take(cursor, number);
  if (numeric) return parseNumber(numeric);
  const quoted = take(cursor, string);
  if (quoted) return { type: 'string', value: (quoted[1] as string).replace(/\\(.)/g, '$1') };
  const flag = take(cursor, boolean);
  if (flag) return { type: 'boolean', value: flag[1] === '1' };
  const binary = take(cursor, bytes);
  if (binary) return { type: 'bytes', value: binary[1] as string };
  const word = take(cursor, token)?.[0];
  return word === undefined ? undefined : { type: 'token', value: word };
}

/** RFC 8941 section 4.2.4: at most 15 digits, or 12 and 3 after the point. */
function parseNumber([text, , whole, fraction]: RegExpExecArray): StructuredItem | undefined {
  if (whole === undefined) return undefined;
  if (fraction === undefined) {
    return whole.length > 15 ? undefined : { type: 'integer', value: Number(text) };
  }
  if (whole.length > 12 || fraction.length > 3) return undefined;
  return { type: 'decimal', value: Number(text) };
}
