import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';

/**
 * Chooses a field's value from the client's (undefined: absent); undefined lets its own words stand,
 * null takes the field away.
 */
export type FieldChoice = (value: string | undefined) => string | null | undefined;

/**
 * The fields with each named one (as it is spelled in `choices`) as chosen: spellings that mean the
 * same become one, so that variants do not multiply. Undefined when nothing changes.
 */
export function chosenFields(
  headers: RawHeaders,
  choices: Readonly<Record<string, FieldChoice>>,
): RawHeaders | undefined {
  const replacements: string[] = [];
  const replaced = new Set<string>();
  for (const [spelling, choose] of Object.entries(choices)) {
    const name = spelling.toLowerCase();
    const value = fieldValue(headers, name);
    const chosen = choose(value);
    if (chosen === undefined || (chosen ?? undefined) === value) continue;
    replaced.add(name);
    if (chosen !== null) replacements.push(spelling, chosen);
  }
  return replaced.size === 0 ? undefined : [...withoutFields(headers, replaced), ...replacements];
}

/** `Accept-Encoding` as `gzip` or `identity`: the codings that are rewritten. RFC 9110 section 12.5.3. */
export function encodingFor(value: string | undefined): string | undefined {
  const qualities = weights(value ?? '');
  if (qualities === undefined) return undefined;
  // Without the identity to fall back on the client's own list is the only safe one.
  if ((qualities.get('identity') ?? qualities.get('*')) === 0) return undefined;
  const gzip = qualities.get('gzip') ?? qualities.get('x-gzip') ?? qualities.get('*') ?? 0;
  return gzip > 0 ? 'gzip' : 'identity';
}

/** Members and their weights, in lower case; undefined for quoted strings and malformed weights. */
export function weights(value: string): ReadonlyMap<string, number> | undefined {
  if (value.includes('"')) return undefined;
  const result = new Map<string, number>();
  for (const member of value.toLowerCase().split(',')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim());
    if (name === '') continue;
    // RFC 9110 section 12.4.2.
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    if (!/^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight)) return undefined;
    result.set(name, Number(weight));
  }
  return result;
}
