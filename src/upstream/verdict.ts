import type { ErrorCode, GatewayError } from '../core/errors.ts';
import type { MirrorFault } from '../core/mirror-figures.ts';
import { fieldValue } from '../core/raw-headers.ts';
import type { Candidate } from './candidates.ts';
import type { DownloadRequest } from './downloader.ts';
import { type Segment, segmentFault } from './segment-check.ts';
import type { UpstreamResponse } from './upstream.ts';

/** Failures that say something of the host, not of the one response: once is enough. */
const hostFailures: ReadonlySet<ErrorCode> = new Set([
  'dns_timeout',
  'dns_error',
  'destination_unavailable',
  'destination_ip_prohibited',
  'connection_refused',
  'connection_terminated',
  'connection_timeout',
  'tls_protocol_error',
  'tls_certificate_error',
  'http_response_timeout',
]);

/** Errors that say nothing of the upstream. */
const ourOwn: ReadonlySet<ErrorCode> = new Set([
  'client_gone',
  'shutting_down',
  'http_request_error',
]);

/** Statuses by which another upstream may do better; a 404 is an answer. */
const failoverStatuses: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** What a response is worth. */
export type Verdict =
  | { readonly kind: 'good' }
  /** The mirror cannot serve now. */
  | { readonly kind: 'failing'; readonly throttled: boolean }
  /** It serves, but not this. */
  | { readonly kind: 'fault'; readonly fault: MirrorFault };

const good: Verdict = { kind: 'good' };

/** Judges the head of a response. What the origin itself says to a plain request is always an answer. */
export function judge(
  request: DownloadRequest,
  { trust, url }: Candidate,
  segment: Segment | undefined,
  response: UpstreamResponse,
): Verdict {
  const { status, headers } = response;
  if (status === 503 || status === 429) {
    const asked = status === 429 || fieldValue(headers, 'retry-after') !== undefined;
    return { kind: 'failing', throttled: asked };
  }
  if (failoverStatuses.has(status)) return { kind: 'failing', throttled: false };
  if (segment !== undefined) {
    const fault = segmentFault(segment, response, request.size);
    if (fault !== undefined) return { kind: 'fault', fault };
  }
  // A mirror may lag behind: that there is nothing is for the origin to say.
  const missing = (status === 404 || status === 410) && url !== request.url;
  if (trust === 'full') return missing ? other : good;
  if (status === (segment === undefined ? 200 : 206)) return plainCoding(response) ? good : other;
  return missing || status === 200 ? other : { kind: 'failing', throttled: false };
}

/** Whether the failure says something of the mirror, and whether once is enough. */
export function gravity({ code }: GatewayError): 'none' | 'some' | 'severe' {
  if (ourOwn.has(code)) return 'none';
  return hostFailures.has(code) ? 'severe' : 'some';
}

const other: Verdict = { kind: 'fault', fault: 'missing' };

/** It was asked for the bytes as they are: in another coding they are no part of the same body. */
function plainCoding({ headers }: UpstreamResponse): boolean {
  return (
    (fieldValue(headers, 'content-encoding') ?? 'identity').trim().toLowerCase() === 'identity'
  );
}
