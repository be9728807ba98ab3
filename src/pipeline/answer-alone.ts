import type { Rewrite } from '../core/classification.ts';
import { type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { endToEnd } from '../policy/headers.ts';
import { discard } from '../upstream/discard.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { type Answer, answerFrom, type Representation } from './answer.ts';
import { withDigest } from './digest-reader.ts';
import { declaredSize } from './framing.ts';
import type { Alone } from './obtain.ts';
import type { Resource } from './resource.ts';
import {
  type Codings,
  codingsFor,
  readerOf,
  rewriteStream,
  rewrittenFields,
} from './rewrite-stream.ts';
import { UpstreamReader } from './upstream-reader.ts';

/** Passes on a response that is for this request alone, at its client's pace. */
export async function answerAlone(
  resource: Resource,
  { response, digest, asAsked }: Alone,
): Promise<Answer> {
  const { request, classification } = resource;
  const { status } = response;
  const headers = endToEnd(response.headers);
  const rewrite = classification.kind === 'index' ? classification.rewrite : undefined;
  if (rewrite && status === 200) return rewriteAlone(resource, rewrite, response, headers);
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    discard(response);
    return { status, headers, body: { kind: 'none' } };
  }
  const size = declaredSize(response.headers);
  const upstream = new UpstreamReader(response);
  const bytesIn = () => upstream.received;
  const reader = digest ? withDigest(upstream, digest) : upstream;
  if (asAsked) return { status, headers, body: { kind: 'stream', reader, size }, bytesIn };
  const whole: Representation = {
    status,
    headers: withoutFields(headers, new Set(['content-length'])),
    size,
    responseTime: response.responseTime,
    bytes: () => undefined,
    open: async () => reader,
  };
  const answer = await answerFrom(request, whole);
  if (answer?.body.kind === 'stream') return { ...answer, bytesIn };
  reader.close();
  // Against a response that has just come a failed precondition is final. RFC 9110 section 13.2.2.
  return answer ?? { status: 412, headers: ['Content-Length', '0'], body: { kind: 'none' } };
}

/** The same for a document that is rewritten on its way. */
function rewriteAlone(
  { request }: Resource,
  rewrite: Rewrite,
  response: UpstreamResponse,
  document: RawHeaders,
): Answer {
  const codings = readableCodings(response, document, request.headers);
  const headers = rewrittenFields(document, codings);
  if (request.method === 'HEAD') {
    discard(response);
    return { status: 200, headers, body: { kind: 'none' } };
  }
  const source = new UpstreamReader(response);
  const bytes = rewriteStream(source, rewrite.create(), codings);
  const reader = readerOf(bytes, () => source.close());
  const body = { kind: 'stream', reader, size: undefined } as const;
  return { status: 200, headers, body, bytesIn: () => source.received };
}

/** The codings for a document's rewriting; one that cannot be read ends the exchange. */
function readableCodings(
  response: UpstreamResponse,
  document: RawHeaders,
  request: RawHeaders,
): Codings {
  try {
    return codingsFor(document, request);
  } catch (error) {
    response.abort();
    throw error;
  }
}
