import type { ByteRange } from '../core/body.ts';
import type { MirrorFault } from '../core/mirror-figures.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { parseContentRange } from '../policy/byte-range.ts';

/** One range of an object, as a request asks for it. */
export interface Segment {
  readonly range: ByteRange;
  /** Strong: the representation that it must be of. */
  readonly etag: string | undefined;
}

/** The segment that a request asks for; undefined without a single plain `Range` of known ends. */
export function segmentOf(headers: RawHeaders): Segment | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(fieldValue(headers, 'range') ?? '') ?? [];
  if (first === undefined || last === undefined) return undefined;
  const validator = fieldValue(headers, 'if-range');
  return {
    range: { first: Number(first), last: Number(last) },
    etag: validator?.startsWith('"') ? validator : undefined,
  };
}

/**
 * Why a response is no such segment; undefined where it is one, or where its status says that it is
 * an answer of another kind. Without an entity tag in the request only a digest of the whole will tell
 * wrong bytes. RFC 9110 sections 14.4 and 15.3.7.
 */
export function segmentFault(
  { range, etag }: Segment,
  { status, headers }: { readonly status: number; readonly headers: RawHeaders },
  size: number | undefined,
): MirrorFault | undefined {
  // To If-Range a 200 says that the representation is another one; either way it is no segment.
  if (status === 200)
    return etag === undefined || sameTag(headers, etag) ? 'ignored-range' : 'changed-validator';
  if (status === 416) return 'changed-validator';
  if (status !== 206) return undefined;
  const part = parseContentRange(fieldValue(headers, 'content-range') ?? '');
  if (part === undefined || part.first !== range.first || part.last > range.last)
    return 'ignored-range';
  if (size !== undefined && part.size !== size) return 'changed-validator';
  if (etag !== undefined && !sameTag(headers, etag)) return 'changed-validator';
  return undefined;
}

function sameTag(headers: RawHeaders, etag: string): boolean {
  return fieldValue(headers, 'etag')?.trim() === etag;
}
