import type { ClassifyRequest, IndexClassification } from '../core/classification.ts';
import { chosenFields, encodingFor } from './negotiation.ts';

/**
 * A document that is as fresh as it says, in a coding that can be rewritten and searched, with an
 * entity tag where the upstream gives none.
 */
export function readableDocument({
  headers,
}: Pick<ClassifyRequest, 'headers'>): IndexClassification {
  const requestHeaders = chosenFields(headers, { 'Accept-Encoding': encodingFor });
  return {
    kind: 'index',
    freshness: 'rfc9111',
    vary: ['accept-encoding'],
    ownEtag: true,
    ...(requestHeaders && { requestHeaders }),
  };
}
