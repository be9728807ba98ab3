/** Marks text to be written as a token and not as a quoted string. */
export class Token {
  readonly text: string;
  /** Throws a TypeError for what is not an sf-token: tokens are ours, never foreign data. */
  constructor(text: string) {
    if (!tokenForm.test(text)) throw new TypeError(`Not a token of RFC 9651: ${text}`);
    this.text = text;
  }
}

/** RFC 9651 section 3.3: integer, string, token, boolean. */
export type BareItem = number | string | boolean | Token;

/** RFC 9651 section 3.3.4: `sf-token = ( ALPHA / "*" ) *( tchar / ":" / "/" )`. */
const tokenForm = /^[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*$/;
/** RFC 9651 section 3.1.2: `key = ( lcalpha / "*" ) *( lcalpha / DIGIT / "_" / "-" / "." / "*" )`. */
const keyForm = /^[a-z*][a-z0-9_\-.*]*$/;
/** RFC 9651 section 3.3.1: fifteen digits. */
const largestInteger = 999_999_999_999_999;

/**
 * One item with parameters, `item; key=value; flag`. Undefined parameters are left out, true ones
 * are written as the bare key. RFC 9651 section 4.1.3.
 */
export function serialiseItem(
  item: BareItem,
  parameters: Readonly<Record<string, BareItem | undefined>>,
): string {
  let text = serialiseBareItem(item);
  for (const [key, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (!keyForm.test(key)) throw new TypeError(`Not a key of RFC 9651: ${key}`);
    text += value === true ? `; ${key}` : `; ${key}=${serialiseBareItem(value)}`;
  }
  return text;
}

/** RFC 9651 section 4.1.3.1. */
export function serialiseBareItem(value: BareItem): string {
  if (typeof value === 'number') return serialiseInteger(value);
  if (typeof value === 'string') return serialiseString(value);
  if (typeof value === 'boolean') return value ? '?1' : '?0';
  return value.text;
}

/** RFC 9651 section 4.1.4; towards zero, and clamped to what the field can say. */
export function serialiseInteger(value: number): string {
  if (Number.isNaN(value)) throw new TypeError('Not an integer of RFC 9651: NaN');
  const whole = Math.trunc(Math.min(largestInteger, Math.max(-largestInteger, value)));
  return `${whole}`;
}

/** RFC 9651 section 4.1.6: printable ASCII only, so the rest is removed. */
export function serialiseString(value: string): string {
  return `"${value.replace(/[^\x20-\x7e]+/g, '').replace(/["\\]/g, '\\$&')}"`;
}
