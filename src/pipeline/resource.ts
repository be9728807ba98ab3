import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { ArtifactRequest } from '../core/artifact-request.ts';
import type { Classification, Pin } from '../core/classification.ts';
import { withoutFields } from '../core/raw-headers.ts';
import type { PolicyOptions } from '../policy/policy-options.ts';
import type { Places } from '../upstream/downloader.ts';

/** A classified request for something the cache may hold. */
export interface Resource {
  readonly request: ArtifactRequest;
  readonly classification: Exclude<Classification, { kind: 'passthrough' }>;
  readonly policy: PolicyOptions;
  /** Whether upstream redirects are followed or are the client's. */
  readonly redirects: 'follow' | 'forward';
  /** Whether documents that change come from the upstreams in their order, or from the fastest. */
  readonly indexes: 'ordered' | 'equal';
  /** Whether the upstreams are repositories of their own; without it they are mirrors of each other. */
  readonly repositories?: boolean;
  /** Where it is fetched from, where that is not its own URL. */
  readonly places?: Places;
}

/** The same resource asked for by nobody in particular: whole, and for the cache. */
export function background(resource: Resource): Resource {
  const headers = withoutFields(resource.request.headers, new Set(['range', 'if-range']));
  return { ...resource, request: { ...resource.request, method: 'GET', headers } };
}

/** Whether the request is one whose miss brings the whole into the store. */
export function bringsWhole({ request, classification }: Resource): boolean {
  if (request.method === 'GET') return true;
  return classification.wholeForHead === true;
}

/** A small document that speaks of this resource's body, asked for whole and in its name. */
export function documentBeside(resource: Resource, url: string): Resource {
  const { request, policy } = background(resource);
  const freshness = 'forever';
  return {
    ...resource,
    request: { ...request, url },
    classification: { kind: 'index', freshness },
    policy: { ...policy, freshness },
  };
}

/** A document that may name this resource, as whoever asks for it gets it. */
export function namingDocument(resource: Resource, url: string): Resource {
  const { request, policy } = background(resource);
  const headers = withoutFields(request.headers, new Set(['cache-control', 'pragma']));
  const freshness = 'explicit';
  return {
    ...resource,
    request: { ...request, url, headers },
    classification: { kind: 'index', freshness },
    policy: { ...policy, freshness },
  };
}

/** The resource with the bytes that the pin says, and no others. */
export function pinned(resource: Resource, { digest, size, url, places }: Pin): Resource {
  const { request, policy } = resource;
  const { lists } = resource.classification;
  // The digest is that of the file: it is asked for as it is.
  const headers = withoutFields(request.headers, new Set(['accept-encoding']));
  return {
    ...resource,
    request: { ...request, url, headers },
    classification: { kind: 'artifact', digest, asSent: true, ...(lists && { lists }) },
    policy: { ...policy, freshness: 'forever' },
    places: { urls: places, size },
  };
}

/** Whether it is held to a pin: then its URL is one of several where it may be. */
export function isPinned({ places, classification }: Resource): boolean {
  return places !== undefined && classification.kind === 'artifact';
}

/** What is stored under its URL that says anything of it: that it was not there says nothing of its other places. */
export function usableFor(
  resource: Resource,
  variants: readonly ArtifactMeta[],
): readonly ArtifactMeta[] {
  return isPinned(resource) ? variants.filter(({ status }) => status === 200) : variants;
}

/** The resource as it fits one version of another: kept for that under a key of its own. */
export function belonging(resource: Resource, key: string): Resource {
  const { request, policy } = resource;
  const freshness = 'forever';
  return {
    ...resource,
    request: { ...request, url: key },
    classification: { kind: 'index', freshness },
    policy: { ...policy, freshness },
    places: { urls: [request.url], size: undefined },
  };
}
