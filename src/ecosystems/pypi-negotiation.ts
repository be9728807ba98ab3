import type { RawHeaders } from '../core/raw-headers.ts';
import { chosenFields, encodingFor, weights } from './negotiation.ts';

/** The request fields that select an index page's representation. */
export const selectingFields: readonly string[] = ['accept', 'accept-encoding'];

const json = 'application/vnd.pypi.simple.v1+json';
const html = 'text/html';
/** As pip spells it. */
const either = `${json}, application/vnd.pypi.simple.v1+html; q=0.1, ${html}; q=0.01`;

/**
 * The fields with `Accept` as one of two values (JSON, or HTML) where the client accepts what comes,
 * and without pip's habit: it asks for every page with `max-age=0`, so that its own cache validates.
 * A page is as fresh here as the index says; whoever wants the index's word sends `no-cache`.
 */
export function negotiatedFields(headers: RawHeaders): RawHeaders | undefined {
  return chosenFields(headers, {
    Accept: acceptFor,
    'Accept-Encoding': encodingFor,
    'Cache-Control': (value) => (value === 'max-age=0' ? null : undefined),
  });
}

/** PEP 691, "Version + Format Selection". Undefined: the client means something else. */
function acceptFor(value: string | undefined): string | undefined {
  if (value === undefined) return html;
  const qualities = weights(value);
  if (qualities === undefined) return undefined;
  const plain = qualities.get(html) ?? qualities.get('text/*') ?? qualities.get('*/*') ?? 0;
  if (plain === 0) return undefined;
  const wanted =
    qualities.get(json) ?? qualities.get('application/vnd.pypi.simple.latest+json') ?? 0;
  if (wanted > 0 && wanted >= plain) return either;
  return [...qualities.keys()].some((type) => type.startsWith('application/vnd.'))
    ? undefined
    : html;
}
