import type { Resource } from '../../src/pipeline/resource.ts';

type Asked = Pick<Resource['request'], 'method' | 'url' | 'headers' | 'receivedAt'>;

/** What a request to a mount for a plain file is about: kept by RFC 9111 unless `classification` says more. */
export function plainResource(
  asked: Asked,
  classification: Resource['classification'] = { kind: 'index', freshness: 'rfc9111' },
): Resource {
  return {
    request: { ...asked, surface: 'mount', upstreams: [], trusted: true, ecosystem: 'generic' },
    classification,
    policy: {
      freshness: 'rfc9111',
      defaultTtl: undefined,
      negativeTtl: 0,
      staleIfError: 0,
      staleOnDisconnect: false,
      targetedFields: [],
      storeSetCookie: 'never',
      storeServerErrors: false,
    },
    redirects: 'forward',
    indexes: 'ordered',
  };
}
