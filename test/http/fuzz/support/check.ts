import { canonicalUrl, pathOf } from '../../../../src/core/canonical-url.ts';
import { partsOf } from '../../../support/multipart.ts';
import { type ExactResource, nameIn } from './resources.ts';
import { type Fields, valuesOf } from './strict-fields.ts';
import type { StrictRequest } from './strict-request.ts';
import { type Ending, readResponses, type StrictResponse } from './strict-response.ts';

/** The targets with which the origin may be asked because of a request. */
export function askedAs({ target }: StrictRequest, origin: string): readonly string[] {
  const url = canonicalUrl(target.startsWith('/') ? `${origin}${target}` : target);
  if (url === undefined) return [];
  // What passes through has characters that no URL may hold in their encoding.
  const { pathname, search } = new URL(url);
  return [pathOf(url), `${pathname}${search}`];
}

/** What is wrong with what a client got for its requests, in a sentence; undefined when nothing is. */
export function faultIn(
  received: Buffer,
  ending: Ending,
  requests: readonly StrictRequest[],
  resources: ReadonlyMap<string, ExactResource>,
): string | undefined {
  const methods = requests.map(({ method }) => method);
  const read = readResponses(received, methods, ending);
  if (read.kind === 'malformed') return `no HTTP response ${read.why}`;
  for (const [index, response] of read.responses.entries()) {
    const request = requests[index];
    const fault = request
      ? faultOf(request, response, resources.get(nameIn(request.target) ?? ''))
      : refusalFault(response, index - requests.length);
    if (fault === undefined) continue;
    const { status, fields, body, complete } = response;
    const size = `${body.length} bytes, ${complete ? 'complete' : 'incomplete'}, then ${ending}`;
    return `response ${index + 1}: ${fault}: ${status} ${JSON.stringify(fields).slice(0, 1000)} with ${size}`;
  }
  return undefined;
}

/** What follows the last request is malformed: it may be refused, once. */
function refusalFault({ status }: StrictResponse, more: number): string | undefined {
  return more === 0 && status >= 400 && status < 500 ? undefined : 'nobody asked for it';
}

function faultOf(
  { method, fields }: StrictRequest,
  { status, fields: answered, body, complete }: StrictResponse,
  resource: ExactResource | undefined,
): string | undefined {
  if (status === 101 && valuesOf(fields, 'upgrade').length === 0) return 'nothing to upgrade';
  if (resource === undefined || method === 'HEAD') return undefined;
  // It goes no further than to the gateway. RFC 9110 section 7.6.2.
  const isLast = method === 'OPTIONS' && Number(valuesOf(fields, 'max-forwards')[0]) === 0;
  if (status === 200 && !isLast) {
    if (!resource.holds(body)) return `other bytes than those of ${resource.name}`;
    if (complete && !resource.lengths.has(body.length)) {
      return `${body.length} bytes as the whole of ${resource.name}`;
    }
  }
  // What the cache has no part in comes through as it is, for the client to judge.
  const passedOn = valuesOf(answered, 'cache-status').some((each) => each.includes('=bypass'));
  if (method !== 'GET' || passedOn) return undefined;
  if (status === 304 && !fields.some(([name]) => name.startsWith('if-'))) return 'no condition';
  if (status !== 206) return undefined;
  if (valuesOf(fields, 'range').length === 0) return 'no range was asked for';
  return complete ? faultOfParts(resource, answered, body) : undefined;
}

function faultOfParts(resource: ExactResource, fields: Fields, body: Buffer): string | undefined {
  const [range] = valuesOf(fields, 'content-range');
  if (range !== undefined) return faultOfPart(resource, range, body);
  for (const part of partsOf(valuesOf(fields, 'content-type')[0], body)) {
    const fault = faultOfPart(resource, part.fields.get('content-range'), part.body);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfPart(
  resource: ExactResource,
  range: string | undefined,
  body: Buffer,
): string | undefined {
  const [, first, last] = /^bytes (\d+)-(\d+)\/\d+$/.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined) return `Content-Range: ${range}`;
  if (body.length !== Number(last) - Number(first) + 1) return `${range} in ${body.length} bytes`;
  return resource.holds(body, Number(first)) ? undefined : `other bytes than those of ${range}`;
}
