import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import { validationFields } from '../policy/conditional.ts';
import type { Resource } from './resource.ts';

/**
 * The fields that ask whether what is stored is still valid; none where it is not what it must be: then
 * the upstream's own word for it, which goes by names and dates, is not enough.
 */
export function conditionsFor({ classification }: Resource, stored: ArtifactMeta): RawHeaders {
  const digest = classification.kind === 'artifact' ? classification.digest : undefined;
  // Of a stored body no digest but the SHA-256 is known.
  const isOther = digest?.algorithm === 'sha256' && digest.hex !== stored.body.sha256;
  return isOther ? [] : validationFields(stored);
}
