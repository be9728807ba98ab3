import { fieldLines, type RawHeaders } from '../core/raw-headers.ts';

/**
 * Fields for one connection only: RFC 9110 section 7.6.1, and RFC 9111 section 3.1 for those that
 * belong to one proxy. `Proxy-Status` is end-to-end (RFC 9209) and stays. Trailers are not passed on,
 * so neither is their announcement.
 */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What the transport makes anew for each request: target and framing. RFC 9112 sections 3.2 and 6. */
const perRequest: ReadonlySet<string> = new Set(['content-length', 'expect', 'host']);

const nothing: ReadonlySet<string> = new Set();

/**
 * The fields that travel end to end, in order, duplicates and case kept. Returns the same list when
 * nothing has to go. RFC 9110 section 7.6.1.
 */
export function endToEnd(headers: RawHeaders): RawHeaders {
  return strip(headers, nothing);
}

/** The client's fields that go upstream: end-to-end, without `Host`, `Expect` and framing. */
export function requestFields(headers: RawHeaders): RawHeaders {
  return strip(headers, perRequest);
}

function strip(headers: RawHeaders, also: ReadonlySet<string>): RawHeaders {
  let dirty = false;
  let connection = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!mayBelongToOneHop(name, also)) continue;
    const lower = name.toLowerCase();
    if (lower === 'connection') connection = true;
    dirty ||= hopByHop.has(lower) || also.has(lower);
  }
  if (!dirty) return headers;
  const listed = connection ? connectionOptions(headers) : nothing;
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || also.has(lower) || listed.has(lower)) continue;
    kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

/** RFC 9110 section 7.6.1: each connection option names a field that goes no further. */
function connectionOptions(headers: RawHeaders): ReadonlySet<string> {
  const options = new Set<string>();
  for (const line of fieldLines(headers, 'connection')) {
    for (const option of line.split(',')) options.add(option.trim().toLowerCase());
  }
  return options;
}

/** A look at the first letter spares most names the lower-casing. */
function mayBelongToOneHop(name: string, also: ReadonlySet<string>): boolean {
  switch (name.charCodeAt(0) | 0x20) {
    case 0x63: // c
    case 0x6b: // k
    case 0x70: // p
    case 0x74: // t
    case 0x75: // u
      return true;
    case 0x65: // e
    case 0x68: // h
      return also.size > 0;
    default:
      return false;
  }
}
