/** The fields of a head, names in lower case, in order. */
export type Fields = readonly (readonly [name: string, value: string])[];

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * The field lines of a head without its first line; undefined when one of them could be read in two
 * ways. RFC 9112 section 5.
 */
export function strictFields(lines: readonly string[]): Fields | undefined {
  const fields: [string, string][] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    // A fold begins with white space, which is no token either.
    if (colon === -1 || !token.test(line.slice(0, colon))) return undefined;
    fields.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(ows, '')]);
  }
  return fields;
}

const ows = /^[ \t]+|[ \t]+$/g;

/** The lines of a head; undefined where one has a CR, LF or NUL inside. */
export function strictLines(head: string): readonly string[] | undefined {
  const lines = head.split('\r\n');
  return lines.some((line) => /[\r\n\0]/.test(line)) ? undefined : lines;
}

/** The values of a field, one for each line. */
export function valuesOf(fields: Fields, name: string): readonly string[] {
  return fields.filter(([each]) => each === name).map(([, value]) => value);
}

/** How a message says where its body ends. RFC 9112 section 6.3. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'ambiguous' };

/** `none` where the head says nothing. */
export function strictFraming(fields: Fields): Framing {
  const codings = valuesOf(fields, 'transfer-encoding');
  const lengths = valuesOf(fields, 'content-length');
  if (codings.length + lengths.length > 1) return { kind: 'ambiguous' };
  if (codings[0] !== undefined) {
    return { kind: codings[0].toLowerCase() === 'chunked' ? 'chunked' : 'ambiguous' };
  }
  if (lengths[0] === undefined) return { kind: 'none' };
  const length = Number(lengths[0]);
  return /^\d+$/.test(lengths[0]) && Number.isSafeInteger(length)
    ? { kind: 'length', length }
    : { kind: 'ambiguous' };
}

/** Where a chunked body leads: to its end, or to nowhere. */
export type Chunked =
  | { readonly kind: 'whole'; readonly body: Buffer; readonly end: number }
  | { readonly kind: 'incomplete'; readonly body: Buffer }
  | { readonly kind: 'malformed' };

/** A chunked body that begins at an offset. RFC 9112 section 7.1. */
export function strictChunked(bytes: Buffer, start: number): Chunked {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const end = bytes.indexOf('\r\n', at, 'latin1');
    if (end === -1) return { kind: 'incomplete', body: Buffer.concat(pieces) };
    const line = bytes.toString('latin1', at, end);
    const size = /^([0-9a-f]{1,13})(?:[ \t]*;[^\r\n\0]*)?$/i.exec(line)?.[1];
    if (size === undefined) return { kind: 'malformed' };
    const length = Number.parseInt(size, 16);
    at = end + 2;
    if (length === 0) break;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
    if (bytes.length < at + 2) return { kind: 'incomplete', body: Buffer.concat(pieces) };
    if (bytes.toString('latin1', at, at + 2) !== '\r\n') return { kind: 'malformed' };
    at += 2;
  }
  const body = Buffer.concat(pieces);
  if (bytes.toString('latin1', at, at + 2) === '\r\n') return { kind: 'whole', body, end: at + 2 };
  const end = bytes.indexOf('\r\n\r\n', at, 'latin1');
  if (end === -1) return { kind: 'incomplete', body };
  const lines = strictLines(bytes.toString('latin1', at, end));
  if (lines === undefined || strictFields(lines) === undefined) return { kind: 'malformed' };
  return { kind: 'whole', body, end: end + 4 };
}
