import { fieldLines, fieldValue } from '../core/raw-headers.ts';
import { Http2Request } from './http2-request.ts';
import type { RequestHead } from './request-head.ts';

/** Field lines that a request may have. RFC 9110 section 5.4. */
const maxFields = 200;

/** RFC 9112 section 3.2: uri-host and port of RFC 3986 section 3.2; a name may be empty. */
const hostField = /^(?:[\w\-.~!$&'()*+,;=%]*|\[[0-9a-f:.]+\])(?::\d*)?$/i;

/**
 * What is wrong with a request that the parser let through, or undefined. Its connection is to be
 * closed: where one reader takes it for something else, so may another on the way.
 */
export function malformation(request: RequestHead): string | undefined {
  const { rawHeaders, httpVersion } = request;
  // RFC 9112 section 2.3: a line without a version is none of ours.
  if (httpVersion !== '1.1' && httpVersion !== '1.0' && !(request instanceof Http2Request)) {
    return `the request is HTTP/${httpVersion}: 1.1 is spoken here`;
  }
  if (rawHeaders.length > 2 * maxFields) return `the request has more than ${maxFields} fields`;
  // RFC 9112 section 3.2: HTTP/1.1 has exactly one Host, and nobody may have more.
  const hosts = fieldLines(rawHeaders, 'host');
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion !== '1.0')) {
    return `the request has ${hosts.length} Host fields instead of one`;
  }
  if (hosts[0] !== undefined && !hostField.test(hosts[0].trim())) {
    return 'the Host field is not a host with a port';
  }
  const length = fieldValue(rawHeaders, 'content-length');
  if (length !== undefined && Number(length) > Number.MAX_SAFE_INTEGER) {
    return 'the Content-Length is over 2^53 bytes';
  }
  const coding = fieldValue(rawHeaders, 'transfer-encoding');
  if (coding === undefined) return undefined;
  // RFC 9112 section 6.1: with HTTP/1.0 the framing is faulty, whatever it says.
  if (httpVersion === '1.0') return 'HTTP/1.0 has no Transfer-Encoding';
  // RFC 9112 section 6.3: no other coding is known here, and behind one that is not the body's end is not either.
  return coding.trim().toLowerCase() === 'chunked'
    ? undefined
    : 'the one Transfer-Encoding taken is chunked';
}
