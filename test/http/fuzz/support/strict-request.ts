import {
  type Fields,
  strictChunked,
  strictFields,
  strictFraming,
  strictLines,
  valuesOf,
} from './strict-fields.ts';

export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly fields: Fields;
}

/**
 * What stands at an offset. `request` is there as soon as its head is whole; `end`, once its body is
 * too. `malformed` says that nothing from here on may be taken for a request.
 */
export type ReadRequest =
  | { readonly kind: 'whole'; readonly request: StrictRequest; readonly end: number }
  | { readonly kind: 'incomplete'; readonly request?: StrictRequest }
  | { readonly kind: 'malformed'; readonly request?: StrictRequest };

/** RFC 9112 section 3 lets a recipient take several spaces for one. */
const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +([^\s\0]+) +HTTP\/(1\.[01])$/;

/** Reads one request as RFC 9112 has it and with no leniency, so that there is one way to read it. */
export function readRequest(bytes: Buffer, offset: number): ReadRequest {
  let start = offset;
  // RFC 9112 section 2.2: empty lines in front are to be ignored.
  while (bytes[start] === 13 || bytes[start] === 10) start += 1;
  const headEnd = bytes.indexOf('\r\n\r\n', start, 'latin1');
  if (headEnd === -1) return { kind: 'incomplete' };
  const lines = strictLines(bytes.toString('latin1', start, headEnd));
  const line = requestLine.exec(lines?.[0] ?? '');
  const fields = strictFields(lines?.slice(1) ?? []);
  if (line === null || fields === undefined) return { kind: 'malformed' };
  const [, method = '', target = '', version] = line;
  const request: StrictRequest = {
    method,
    target,
    version: version === '1.0' ? '1.0' : '1.1',
    fields,
  };
  const hosts = valuesOf(fields, 'host').length;
  if (hosts > 1 || (hosts === 0 && version === '1.1')) return { kind: 'malformed' };
  const framing = strictFraming(fields);
  const bodyStart = headEnd + 4;
  switch (framing.kind) {
    case 'ambiguous':
      return { kind: 'malformed' };
    case 'none':
      return { kind: 'whole', request, end: bodyStart };
    case 'length': {
      const end = bodyStart + framing.length;
      return end > bytes.length ? { kind: 'incomplete', request } : { kind: 'whole', request, end };
    }
    case 'chunked': {
      if (version === '1.0') return { kind: 'malformed' };
      const body = strictChunked(bytes, bodyStart);
      return body.kind === 'whole'
        ? { kind: 'whole', request, end: body.end }
        : { kind: body.kind, request };
    }
  }
}

/** All requests that a connection's bytes mean, in order, and whether the last one is whole. */
export function readRequests(bytes: Buffer): readonly StrictRequest[] {
  const requests: StrictRequest[] = [];
  let at = 0;
  while (at < bytes.length) {
    const read = readRequest(bytes, at);
    if (read.request === undefined) break;
    requests.push(read.request);
    if (read.kind !== 'whole' || isLast(read.request)) break;
    at = read.end;
  }
  return requests;
}

/** RFC 9112 section 9.6: what follows `close` is not to be looked at. */
function isLast({ method, fields }: StrictRequest): boolean {
  const options = valuesOf(fields, 'connection').join(',').toLowerCase().split(',');
  return method === 'CONNECT' || options.some((option) => option.trim() === 'close');
}
