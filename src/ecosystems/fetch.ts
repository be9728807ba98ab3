import { canonicalUrl, hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Ecosystem, OwnAnswer } from './ecosystem.ts';
import { authorityOf } from './foreign-file.ts';

export interface FetchOptions {
  /** Hosts (with a port where it is not the scheme's) that may be reached besides the upstream. */
  readonly hosts: readonly string[];
}

/**
 * Any URL by a path: `/https://host/path`. Only the mount's upstream and the hosts that the operator
 * named are reached; what they say of freshness counts. RFC 9111 section 4.2.
 */
export function createFetch(options: FetchOptions): Ecosystem {
  const hosts = new Set(options.hosts.map((host) => host.toLowerCase()));

  return {
    id: 'fetch',
    hosts: [],
    classify: () => ({ kind: 'index', freshness: 'rfc9111' }),
    resolve: (path, upstreamUrl) => {
      const url = urlIn(path);
      return url !== undefined && isAllowed(url, upstreamUrl) ? url : undefined;
    },
    answer: ({ path, upstreamUrl }) => {
      const url = urlIn(path);
      if (url === undefined) {
        return refusal(
          400,
          'the path holds no URL',
          'a URL, such as https://host/path, is to follow',
        );
      }
      if (isAllowed(url, upstreamUrl)) return undefined;
      const reason = 'the host is not one of the mount';
      return refusal(403, reason, `${authorityOf(url)} is not among the hosts of this mount`);
    },
  };

  function isAllowed(url: string, upstreamUrl: string): boolean {
    if (url.startsWith(`${upstreamUrl}/`)) return true;
    return hosts.has(authorityOf(url));
  }
}

/** The URL that a path below the mount holds; some clients and proxies make one slash of two. */
function urlIn(path: string): string | undefined {
  const [, scheme = '', host = '', rest = ''] =
    /^\/(https?):\/{1,2}([^/?#@\\%]+)((?:[/?][^#\\]*)?)$/i.exec(path) ?? [];
  const url = host === '' ? undefined : canonicalUrl(`${scheme}://${host}${rest}`);
  return url === undefined || hasDotSegments(pathOf(url)) ? undefined : url;
}

function refusal(status: number, reason: string, body: string): OwnAnswer {
  return {
    status,
    headers: ['Content-Type', 'text/plain; charset=utf-8'],
    body: `${body}\n`,
    reason,
  };
}
