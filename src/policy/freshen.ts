import type { ArtifactMeta } from '../core/artifact-meta.ts';
import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { opaqueTag, soleValue } from './conditional.ts';
import { endToEnd } from './headers.ts';
import { formatHttpDate } from './http-date.ts';
import { varyOf } from './vary.ts';

/** A 304 that answered a validation, or a 200 to HEAD; times in milliseconds since the epoch. */
export interface Update {
  readonly headers: RawHeaders;
  readonly requestTime: number;
  readonly responseTime: number;
  /**
   * Fields of the request that was validated. With them a changed `Vary` takes effect; without them
   * the stored one stays.
   */
  readonly requestHeaders?: RawHeaders;
}

/**
 * Fields that belong to the stored body or to the connection's message: a 304 has no say in them.
 * RFC 9111 section 3.2. The ETag is among them: it names the bytes that are stored, and a 304 must not
 * turn a weak one into a strong one.
 */
const ofTheBody: ReadonlySet<string> = new Set([
  'content-digest',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'digest',
  'etag',
  'repr-digest',
]);

/** Stated by each message of itself: those of the last one must not outlive it. */
const ofTheMessage = ['age', 'date'] as const;

/**
 * The stored response as the 304 updates it: each field that the 304 has takes the place of the
 * stored lines of that name. Undefined when the 304 speaks of another representation, or of one that
 * matches no further request (`Vary: *`); the caller then asks without conditions. Whether the result
 * may be kept is for `mayStore` to say, with its fields. RFC 9111 sections 3.2 and 4.3.4.
 */
export function freshen(meta: ArtifactMeta, notModified: Update): ArtifactMeta | undefined {
  return updates(notModified.headers, meta.headers) ? updated(meta, notModified) : undefined;
}

/**
 * The stored response to GET as a 200 to HEAD updates it. Undefined when that tells of another
 * representation, by a validator or its length: what is stored is to be taken for stale.
 * RFC 9111 section 4.3.5.
 */
export function freshenByHead(meta: ArtifactMeta, head: Update): ArtifactMeta | undefined {
  const { headers } = head;
  const sameAs = (name: string): boolean => {
    const received = fieldValue(headers, name)?.trim();
    return received === undefined || received === soleValue(meta.headers, name);
  };
  const length = fieldValue(headers, 'content-length')?.trim() ?? meta.body.size;
  const same = sameAs('etag') && sameAs('last-modified') && Number(length) === meta.body.size;
  return same ? updated(meta, head) : undefined;
}

function updated(meta: ArtifactMeta, update: Update): ArtifactMeta | undefined {
  const { requestTime, responseTime, requestHeaders } = update;
  const unchanged = requestHeaders === undefined ? new Set([...ofTheBody, 'vary']) : ofTheBody;
  const added = [...withoutFields(endToEnd(update.headers), unchanged)];
  // RFC 9110 section 6.6.1: the recipient gives a message without Date the time of its receipt.
  if (fieldValue(added, 'date') === undefined) added.push('Date', formatHttpDate(responseTime));
  const replaced = new Set<string>(ofTheMessage);
  for (let i = 0; i < added.length; i += 2) replaced.add((added[i] as string).toLowerCase());
  const headers = [...withoutFields(meta.headers, replaced), ...added];
  if (requestHeaders === undefined || !replaced.has('vary')) {
    return { ...meta, headers, requestTime, responseTime };
  }
  const vary = varyOf(requestHeaders, headers);
  return vary === '*' ? undefined : { ...meta, headers, vary, requestTime, responseTime };
}

/**
 * Whether the 304 is about the stored response. RFC 9111 section 4.3.4, in one point more lenient:
 * origins that compress on the fly answer `If-None-Match: W/"x"` with `ETag: "x"`, so tags are
 * compared without their weakness. A 304 without a validator answers the only one that was sent.
 */
function updates(fresh: RawHeaders, stored: RawHeaders): boolean {
  const etag = fieldValue(fresh, 'etag');
  if (etag !== undefined) {
    const current = soleValue(stored, 'etag');
    return current !== undefined && opaqueTag(etag.trim()) === opaqueTag(current);
  }
  const modified = fieldValue(fresh, 'last-modified');
  if (modified === undefined) return true;
  const current = soleValue(stored, 'last-modified');
  // Where only an ETag was sent it is that which has matched.
  return current === undefined
    ? soleValue(stored, 'etag') !== undefined
    : modified.trim() === current;
}
