import type { ArtifactRequest } from '../core/artifact-request.ts';
import type { Classification, FreshnessRule } from '../core/classification.ts';
import type { Resource } from '../pipeline/resource.ts';
import type { Mount } from './mount-table.ts';

/** What a mount says of its resources; for the forward proxy its policy alone. */
type Terms = Pick<Mount, 'policy'> & Partial<Pick<Mount, 'redirects' | 'indexes' | 'ecosystem'>>;

/** A classified request under the terms of its mount. */
export function resourceOf(
  request: ArtifactRequest,
  classification: Resource['classification'],
  { policy, redirects = 'forward', indexes = 'ordered', ecosystem }: Terms,
): Resource {
  const throttled = classification.kind === 'index' && classification.staleIfThrottled === true;
  return {
    request: normalised(request, classification),
    classification,
    policy: {
      ...policy,
      freshness: freshnessOf(classification),
      ...(throttled && { staleIfThrottled: true }),
    },
    redirects,
    indexes,
    repositories: ecosystem?.upstreams === 'repositories',
  };
}

export function freshnessOf(classification: Classification): FreshnessRule {
  switch (classification.kind) {
    case 'artifact':
      return 'forever';
    case 'index':
      return classification.freshness;
    case 'passthrough':
      return 'validate';
  }
}

/** Spellings that mean the same made one, where the ecosystem knows them. */
function normalised(
  request: ArtifactRequest,
  { requestHeaders }: Resource['classification'],
): ArtifactRequest {
  return requestHeaders ? { ...request, headers: requestHeaders } : request;
}
