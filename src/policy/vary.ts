import type { VaryField } from '../core/artifact-meta.ts';
import { fieldLines, fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { splitList } from './list.ts';

/** A comma in these is no list separator, so their value stays as it is. */
const singletons: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'cookie',
  'date',
  'from',
  'host',
  'if-modified-since',
  'if-range',
  'if-unmodified-since',
  'origin',
  'referer',
  'user-agent',
]);

const none: readonly VaryField[] = [];

/**
 * The request fields that the response's `Vary` nominates, sorted by name, each with its normalised
 * value in this request; `*` when the response was chosen by more than fields: it matches no other
 * request. RFC 9110 section 12.5.5, RFC 9111 section 4.1.
 */
export function varyOf(
  requestHeaders: RawHeaders,
  responseHeaders: RawHeaders,
): readonly VaryField[] | '*' {
  const lines = fieldLines(responseHeaders, 'vary');
  if (lines.length === 0) return none;
  const names = new Set<string>();
  for (const line of lines) {
    for (const member of line.split(',')) {
      const name = member.trim().toLowerCase();
      // What is no field name may mean any of them: as with `*`, nobody can say what matches.
      if (name === '*' || !/^[!#$%&'*+.^_`|~0-9a-z-]*$/.test(name)) return '*';
      if (name !== '') names.add(name);
    }
  }
  return [...names].sort().map((name): VaryField => [name, selectingValue(requestHeaders, name)]);
}

// A memo of a pure function: the values, as they came, that matched last. A stored list never changes.
const matched = new WeakMap<readonly VaryField[], readonly (string | undefined)[]>();

/** Whether the request selects the variant that was stored under these fields. RFC 9111 section 4.1. */
export function matchesVary(vary: readonly VaryField[], requestHeaders: RawHeaders): boolean {
  if (vary.length === 0) return true;
  const known = matched.get(vary);
  let values: (string | undefined)[] | undefined;
  for (let i = 0; i < vary.length; i += 1) {
    const [name, stored] = vary[i] as VaryField;
    const value = fieldValue(requestHeaders, name);
    if (known !== undefined && known[i] === value) continue;
    if (stored !== (value === undefined ? null : normalise(name, value))) return false;
    values ??= known?.slice() ?? [];
    values[i] = value;
  }
  if (values !== undefined) matched.set(vary, values);
  return true;
}

/**
 * Whether the request's fields are, byte for byte, those that matched last: a match that costs next to
 * nothing. False says nothing.
 */
export function matchedLast(vary: readonly VaryField[], requestHeaders: RawHeaders): boolean {
  const known = matched.get(vary);
  if (known === undefined) return vary.length === 0;
  for (let i = 0; i < vary.length; i += 1) {
    if (known[i] !== fieldValue(requestHeaders, (vary[i] as VaryField)[0])) return false;
  }
  return true;
}

/** Whether no request can match both: they nominate the same fields, and one of them differs. */
export function excludeEachOther(a: readonly VaryField[], b: readonly VaryField[]): boolean {
  if (a.length !== b.length) return false;
  let differs = false;
  for (let i = 0; i < a.length; i += 1) {
    const [name, value] = a[i] as VaryField;
    const [otherName, otherValue] = b[i] as VaryField;
    if (name !== otherName) return false;
    differs ||= value !== otherValue;
  }
  return differs;
}

function selectingValue(headers: RawHeaders, name: string): string | null {
  const value = fieldValue(headers, name);
  return value === undefined ? null : normalise(name, value);
}

/**
 * The forms that RFC 9111 section 4.1 lets a cache take for the same: lines combined, white space of
 * lists, and letter case and order only where the field's own syntax gives them no meaning. Fields
 * that nobody here knows count as lists, as the combination of their lines already takes them for.
 */
function normalise(name: string, value: string): string {
  switch (name) {
    case 'accept':
      return splitList(value).map(mediaRange).join(', ');
    case 'accept-charset':
    case 'accept-language':
      // The order stays: recipients may take it for a priority (RFC 9110 section 12.5.4).
      return splitList(value).map(weighted).join(', ');
    case 'accept-encoding':
      // Weights alone order the codings, and none has quotes. RFC 9110 section 12.5.3.
      return value.includes('"') ? value.trim() : splitList(value).map(weighted).sort().join(', ');
    default:
      return singletons.has(name) ? value.trim() : splitList(value).join(', ');
  }
}

/** A case-insensitive member with its weight. RFC 9110 section 12.4.2. */
function weighted(member: string): string {
  return member.includes(';') ? tightened(member).toLowerCase() : member.toLowerCase();
}

/** Type and subtype ignore case, a parameter's value may not. RFC 9110 sections 8.3.1 and 12.5.1. */
function mediaRange(member: string): string {
  const semicolon = member.indexOf(';');
  if (semicolon === -1) return member.toLowerCase();
  const parameters = member.slice(semicolon);
  // White space inside a quoted parameter is its value.
  const plain = parameters.includes('"') ? parameters : tightened(parameters);
  return `${member.slice(0, semicolon).trimEnd().toLowerCase()}${plain}`;
}

/** Without the white space around semicolons. RFC 9110 section 5.6.6. */
function tightened(text: string): string {
  return text
    .split(';')
    .map((part) => part.trim())
    .join(';');
}
