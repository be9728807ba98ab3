import { GatewayError } from '../core/errors.ts';
import { fieldValue } from '../core/raw-headers.ts';
import { discard } from './discard.ts';
import type { DownloadedResponse, Downloader, DownloadRequest } from './downloader.ts';

/**
 * Looks for an object in several places: the next one where the upstreams say that it is not there,
 * or have one of another length. When it is nowhere and somebody had another one, `fetch` throws
 * `digest_mismatch`; otherwise the last one's answer stands.
 */
export function withPlaces(inner: Downloader): Downloader {
  return {
    fetch: (request, signal) =>
      request.places ? search(inner, request, signal) : inner.fetch(request, signal),
    connections: (request) => inner.connections(atFirst(request)),
    next: (request) => inner.next(atFirst(request)),
    explain: (request) => inner.explain(atFirst(request)),
  };
}

function atFirst(request: DownloadRequest): DownloadRequest {
  const [url = request.url] = request.places?.urls ?? [];
  return { ...request, url };
}

async function search(
  inner: Downloader,
  request: DownloadRequest,
  signal: AbortSignal | undefined,
): Promise<DownloadedResponse> {
  const { urls = [], size } = request.places ?? {};
  let isAnother = false;
  let last: DownloadedResponse | undefined;
  for (const url of urls) {
    // A mirror that does not have it in this place may have it in another.
    const avoid = new Set(request.avoid);
    for (let isLast = false; !isLast; ) {
      if (last) discard(last);
      last = await inner.fetch({ ...request, url, avoid }, signal);
      const another = hasAnotherLength(last, size);
      if (!another && !isAbsent(last)) return last;
      isAnother ||= another;
      isLast = last.mirror === undefined || avoid.has(last.mirror);
      if (last.mirror !== undefined) avoid.add(last.mirror);
      isLast ||= avoid.size >= request.upstreams.length;
    }
  }
  if (last && !isAnother) return last;
  last?.abort();
  throw new GatewayError('digest_mismatch', 'the upstreams have another version of it by now', {
    origin: 'upstream',
    retryable: true,
  });
}

/** Some servers deny what they do not have. */
function isAbsent({ status }: DownloadedResponse): boolean {
  return status === 403 || status === 404 || status === 410;
}

function hasAnotherLength(
  { status, headers }: DownloadedResponse,
  size: number | undefined,
): boolean {
  const length = fieldValue(headers, 'content-length')?.trim() ?? '';
  return status === 200 && size !== undefined && /^\d+$/.test(length) && Number(length) !== size;
}
