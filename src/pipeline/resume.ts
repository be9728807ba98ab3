import type { ByteRange } from '../core/body.ts';
import type { Digest } from '../core/digest.ts';
import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { strongEtag } from '../policy/conditional.ts';
import { endToEnd } from '../policy/headers.ts';
import { matchesVary } from '../policy/vary.ts';
import type { Leftover, PartialBody, PartialIdentity, Store } from '../storage/store.ts';
import type { DownloadedResponse } from '../upstream/downloader.ts';
import type { HeadMeta } from './in-flight.ts';
import { checkPart } from './part-check.ts';
import type { Resource } from './resource.ts';

/** What is asked for in place of the whole. */
export interface Continuation {
  readonly leftover: Leftover;
  readonly range: ByteRange;
  /** Whether the digest proves what is joined; otherwise the entity tag does. */
  readonly byDigest: boolean;
  /** Fields to add to the request. */
  readonly fields: RawHeaders;
}

/** How to go on with what earlier fills left of the resource; undefined where nothing is of use. */
export function continuationFor(
  leftovers: readonly Leftover[],
  { classification, request: { headers } }: Resource,
): Continuation | undefined {
  if (leftovers.length === 0) return undefined;
  const digest = classification.kind === 'artifact' ? classification.digest : undefined;
  return continuationOf(leftovers, headers, digest);
}

/**
 * How to go on with one of the bodies that are left, for a request with these fields: by a range for
 * the first gap. Under a known digest whoever has the bytes may bring them; without one the
 * `If-Range` makes the origin send the whole if it is another one now (RFC 9110 section 13.1.5). A
 * range without an end is no segment: a mirror that has another one by now is no worse for that.
 */
export function continuationOf(
  leftovers: readonly Leftover[],
  request: RawHeaders,
  digest: Digest | undefined,
): Continuation | undefined {
  for (const leftover of leftovers) {
    const { size, etag, missing, head } = leftover;
    if (!matchesVary(head.vary, request)) continue;
    // All may be there; whether it is still what the origin has is shown by its last byte.
    const range = missing[0] ?? { first: size - 1, last: size - 1 };
    // From its first byte on it is an ordinary request.
    if (range.first === 0) continue;
    const known = leftover.digest;
    if (digest && known?.hex === digest.hex && known.algorithm === digest.algorithm) {
      const fields = ['Range', `bytes=${range.first}-${range.last}`];
      return { leftover, range, byDigest: true, fields };
    }
    if ((digest && known) || etag === undefined) continue;
    const open = digest === undefined && range.last === size - 1;
    const end = open ? '' : String(range.last);
    const fields = ['Range', `bytes=${range.first}-${end}`, 'If-Range', etag];
    return { leftover, range, byDigest: false, fields };
  }
  return undefined;
}

/** Fields of a 206 that are about the part. */
const ofThePart: ReadonlySet<string> = new Set(['content-range', 'content-length']);

/**
 * The 206 to a continuation as the 200 that it is a part of: with the fields of the first response
 * that it does not have itself, since to an `If-Range` it need not repeat them. RFC 9110 section
 * 15.3.7, RFC 9111 section 3.4. Undefined when it is no part of the same representation.
 */
export function asWhole(
  { leftover, range, byDigest }: Continuation,
  response: DownloadedResponse,
): { readonly whole: DownloadedResponse; readonly range: ByteRange } | undefined {
  const { size, head } = leftover;
  const etag = byDigest ? strongEtag(response.headers) : leftover.etag;
  const part = checkPart(range, response, { etag, size, isChecked: byDigest });
  if (part instanceof Error) return undefined;
  const added = withoutFields(endToEnd(response.headers), ofThePart);
  const replaced = new Set(['age', 'date']);
  for (let i = 0; i < added.length; i += 2) replaced.add((added[i] as string).toLowerCase());
  const headers = [
    ...withoutFields(head.headers, replaced),
    ...added,
    ...['Content-Length', String(size)],
  ];
  const whole: DownloadedResponse = {
    status: 200,
    headers,
    origin: response.origin,
    url: response.url,
    requestTime: response.requestTime,
    responseTime: response.responseTime,
    attempts: response.attempts,
    mirror: response.mirror,
    consume: (sink) => response.consume(sink),
    // It is a part.
    takeWhole: () => false,
    resume: () => response.resume(),
    giveBack: (chunk) => response.giveBack(chunk),
    abort: () => response.abort(),
    demote: (fault) => response.demote(fault),
  };
  return { whole, range: { first: part.first, last: part.last } };
}

/** Whether the partial body has all that comes before `position`, or will when it was checked. */
export function leadsTo(partial: PartialBody | undefined, position: number): boolean {
  let end = 0;
  for (const { first, last } of partial?.resumed?.pieces ?? []) if (first === end) end = last + 1;
  return end >= position;
}

/**
 * What the body of a response is known by, so that it can be taken up after a break; undefined where
 * nothing identifies it.
 */
export function identityOf(key: string, head: HeadMeta, digest: Digest | undefined) {
  const etag = strongEtag(head.headers);
  if (head.status !== 200 || (etag === undefined && digest === undefined)) return undefined;
  // Without ranges nothing can be asked for that is missing.
  if (fieldValue(head.headers, 'accept-ranges')?.trim().toLowerCase() === 'none') return undefined;
  return { key, head, etag, digest };
}

/** Begins a body without what is left of it, whose rest was asked for in vain: it is dropped. */
export async function beginAnew(
  store: Store,
  size: number | undefined,
  identity: PartialIdentity | undefined,
): Promise<PartialBody> {
  const partial = await store.begin(size, identity);
  if (!partial.resumed) return partial;
  await partial.discard();
  return store.begin(size, identity);
}
