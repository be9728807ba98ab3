import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';

/** The request fields that select a registry document's representation. */
export const selectingFields: readonly string[] = ['accept', 'accept-encoding'];

const abbreviatedType = 'application/vnd.npm.install-v1+json';
/** As npm, pnpm and yarn spell it. */
const abbreviated = `${abbreviatedType}; q=1.0, application/json; q=0.8, */*`;
const full = 'application/json';

/**
 * The request's fields with `Accept` as one of two values (the abbreviated or the full document) and
 * `Accept-Encoding` as `gzip` or `identity`, wherever the client accepts what that brings; undefined
 * when nothing changes.
 */
export function negotiatedFields(headers: RawHeaders): RawHeaders | undefined {
  const replacements: string[] = [];
  const replaced = new Set<string>();
  replace('accept', 'Accept', acceptFor);
  replace('accept-encoding', 'Accept-Encoding', encodingFor);
  return replaced.size === 0 ? undefined : [...withoutFields(headers, replaced), ...replacements];

  function replace(
    name: string,
    spelling: string,
    choose: (value: string | undefined) => string | undefined,
  ): void {
    const value = fieldValue(headers, name);
    const chosen = choose(value);
    if (chosen === undefined || chosen === value) return;
    replaced.add(name);
    replacements.push(spelling, chosen);
  }
}

/** RFC 9110 section 12.5.1. Undefined: the client means something else, its own words stand. */
function acceptFor(value: string | undefined): string | undefined {
  if (value === undefined) return full;
  const qualities = weights(value);
  if (qualities === undefined) return undefined;
  for (const type of qualities.keys()) {
    if (type.startsWith('application/vnd.') && type !== abbreviatedType) return undefined;
  }
  const json = qualities.get(full) ?? qualities.get('application/*') ?? qualities.get('*/*') ?? 0;
  if (json === 0) return undefined;
  const short = qualities.get(abbreviatedType) ?? 0;
  return short > 0 && short >= json ? abbreviated : full;
}

/** RFC 9110 section 12.5.3. */
function encodingFor(value: string | undefined): string | undefined {
  const qualities = weights(value ?? '');
  if (qualities === undefined) return undefined;
  // Without the identity to fall back on the client's own list is the only safe one.
  if ((qualities.get('identity') ?? qualities.get('*')) === 0) return undefined;
  const gzip = qualities.get('gzip') ?? qualities.get('x-gzip') ?? qualities.get('*') ?? 0;
  return gzip > 0 ? 'gzip' : 'identity';
}

/** Members and their weights, in lower case; undefined for quoted strings and malformed weights. */
function weights(value: string): ReadonlyMap<string, number> | undefined {
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
