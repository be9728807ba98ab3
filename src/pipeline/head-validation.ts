import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { toldDigest } from './published-digests.ts';
import type { Resource } from './resource.ts';
import { freshened } from './stored-updates.ts';

/** Whether a HEAD may tell that the stored response is still valid, and the ecosystem wants it asked. */
export function headWouldTell({ classification }: Resource, stored: ArtifactMeta): boolean {
  return (
    classification.kind === 'index' &&
    classification.validateByHead === true &&
    stored.status === 200 &&
    toldDigest(classification, stored.headers) !== undefined
  );
}

/**
 * The stored response as the answer to a HEAD updates it, where that tells the same digest: as good as
 * a 304. Undefined: it is another one by now, or the answer does not say.
 */
export function confirmedByHead(
  resource: Resource,
  stored: ArtifactMeta,
  head: UpstreamResponse,
): ArtifactMeta | undefined {
  if (head.status !== 200) return undefined;
  const told = toldDigest(resource.classification, head.headers);
  const known = toldDigest(resource.classification, stored.headers);
  const same = told?.algorithm === known?.algorithm && told?.hex === known?.hex;
  return told && same ? freshened(resource, stored, head) : undefined;
}
