import { candidatesFor, withoutCredentials } from './candidates.ts';
import type { DownloadRequest } from './downloader.ts';

/**
 * A request to each of its repositories alone, in their order; the request itself where its upstreams
 * are mirrors of each other, or there is only one place for its URL. The client's credentials stay
 * with the first one's origin.
 */
export function repositoriesOf(request: DownloadRequest): readonly DownloadRequest[] {
  const { url, upstreams, headers, method } = request;
  // RFC 9110 section 9.2.1: only what changes nothing may be asked again elsewhere.
  const isSafe = method === 'GET' || method === 'HEAD';
  if (request.repositories !== true || !isSafe) return [request];
  const candidates = candidatesFor(url, upstreams);
  if (candidates.length !== upstreams.length) return [request];
  return upstreams.map((upstream, at) => {
    const candidate = candidates[at] ?? candidates[0];
    return {
      ...request,
      url: candidate.url,
      upstreams: [upstream],
      headers: candidate.clientCredentials ? headers : withoutCredentials(headers),
    };
  });
}
