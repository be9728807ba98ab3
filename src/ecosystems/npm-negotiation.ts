import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { chosenFields, encodingFor, weights } from './negotiation.ts';

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
  return chosenFields(headers, { Accept: acceptFor, 'Accept-Encoding': encodingFor });
}

/**
 * Whether this is how pnpm 12 asks, before an install by lockfile, when a package was last changed: by
 * HEAD, for any representation. The one that it reads otherwise answers that as well.
 */
export function asksForAnyByHead(method: string, headers: RawHeaders): boolean {
  if (method !== 'HEAD' || fieldValue(headers, 'accept') !== '*/*') return false;
  return fieldValue(headers, 'user-agent')?.startsWith('pnpm/') === true;
}

/** The same fields with the abbreviated document as what is asked for. */
export function abbreviatedFields(headers: RawHeaders): RawHeaders {
  return [...withoutFields(headers, new Set(['accept'])), 'Accept', abbreviated];
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
