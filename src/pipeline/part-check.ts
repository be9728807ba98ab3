import type { ByteRange } from '../core/body.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue } from '../core/raw-headers.ts';
import { parseContentRange } from '../policy/byte-range.ts';
import { strongEtag } from '../policy/conditional.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { declaredSize } from './framing.ts';

/** Statuses that say nothing of the representation. */
export const notNow: ReadonlySet<number> = new Set([429, 503]);

/** The representation that a body belongs to; bytes are joined only where both are the same. */
export interface Identity {
  /** Strong, with its quotes. */
  readonly etag: string | undefined;
  /** Total bytes. */
  readonly size: number | undefined;
  /** The whole is held to a digest: that proves what no entity tag vouches for. */
  readonly isChecked: boolean;
}

/**
 * How to get at bytes that no connection brings: by ranges; by the whole body once more, because what
 * came for a range was not to be trusted; not at all.
 */
export type Way = 'ranges' | 'whole' | 'none';

type Head = Pick<UpstreamResponse, 'status' | 'headers'>;

/** What a response says of ranges, in lower case; undefined: nothing. RFC 9110 section 14.3. */
export function acceptedRanges({ headers }: Pick<Head, 'headers'>): string | undefined {
  return fieldValue(headers, 'accept-ranges')?.trim().toLowerCase();
}

/**
 * The bytes that a response to a range request may be spliced in at, or why it may not: it must be
 * of what was asked for, of the same representation. RFC 9110 sections 14.4 and 15.3.7.3.
 */
export function checkPart(
  asked: ByteRange,
  { status, headers }: Head,
  { etag, size }: Identity,
): ByteRange | GatewayError {
  if (status !== 206) return changed(`status ${status} to a range request`);
  const part = parseContentRange(fieldValue(headers, 'content-range') ?? '');
  if (!part || part.first !== asked.first || part.last > asked.last || part.size !== size) {
    return changed('Content-Range is not the range asked for');
  }
  const length = declaredSize(headers);
  if (length !== undefined && length !== part.last - part.first + 1) {
    return changed('its length is not that of its Content-Range');
  }
  // RFC 9110 section 15.3.7.3: parts are combined only under the same strong validator.
  if (strongEtag(headers) !== etag) return changed('the entity tag is another one');
  return part;
}

/** Whether a response brings the same representation once more from its first byte. */
export function isSameWhole({ status, headers }: Head, identity: Identity): boolean {
  const { etag, size, isChecked } = identity;
  return (
    status === 200 &&
    (etag !== undefined || isChecked) &&
    strongEtag(headers) === etag &&
    declaredSize(headers) === size
  );
}

export function changed(why: string): GatewayError {
  return new GatewayError('representation_changed', `cannot continue the body: ${why}`, {
    origin: 'upstream',
  });
}
