import type { Answer } from './answer.ts';
import { type Asking, hold } from './asking.ts';
import type { Deriver } from './derive.ts';
import {
  proven,
  type SelectedRepresentation,
  withContentEtag,
  withVary,
} from './representation.ts';
import type { Resource } from './resource.ts';

/** The representation as this client gets it: rewritten and tagged as the ecosystem asks. */
export function present(
  deriver: Deriver,
  asking: Asking,
  representation: SelectedRepresentation,
): SelectedRepresentation | Promise<SelectedRepresentation> {
  const { request, classification } = asking.resource;
  if (classification.kind !== 'index') return proven(representation);
  const { rewrite, ownEtag, vary, servedVary } = classification;
  return rewrite || ownEtag || vary || servedVary
    ? document(deriver, asking, representation, request, classification)
    : proven(representation);
}

async function document(
  deriver: Deriver,
  asking: Asking,
  representation: SelectedRepresentation,
  request: Resource['request'],
  classification: Extract<Resource['classification'], { kind: 'index' }>,
): Promise<SelectedRepresentation> {
  const { rewrite, ownEtag, vary = [], servedVary = [] } = classification;
  const varying = withVary(await proven(representation), [...vary, ...servedVary]);
  if (rewrite) {
    return deriver.derive(request.url, rewrite, varying, request.headers, (fill) =>
      hold(asking, fill),
    );
  }
  return ownEtag ? withContentEtag(varying) : varying;
}

/** The one whose request brought the body has fetched it. */
export function withBytesIn(answer: Answer, { brought }: SelectedRepresentation): Answer {
  return brought ? { ...answer, bytesIn: brought } : answer;
}
