import type { RawHeaders } from '../core/raw-headers.ts';
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
