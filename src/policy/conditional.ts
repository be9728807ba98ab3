import { fieldValue, type RawHeaders, soleLine } from '../core/raw-headers.ts';
import { parseHttpDate } from './http-date.ts';
import type { RequestView } from './policy-options.ts';

export type Precondition = 'proceed' | 'not-modified' | 'precondition-failed';

/** A response that preconditions are held against; `responseTime` in milliseconds since the epoch. */
export interface SelectedRepresentation {
  readonly status: number;
  readonly headers: RawHeaders;
  /** Stands in for absent dates, and settles two-digit years. */
  readonly responseTime?: number;
}

/**
 * What the request's preconditions make of a GET or HEAD for this representation. RFC 9110 section
 * 13.2.2. `precondition-failed` is final only from a representation that was just fetched or
 * validated: a cache is not to evaluate If-Match and If-Unmodified-Since on its own account, but to
 * send such a request on (RFC 9111 section 4.3.2).
 */
export function evaluatePreconditions(
  request: RequestView,
  meta: SelectedRepresentation,
): Precondition {
  const { headers } = request;
  // RFC 9110 section 13.2.1: without the conditions it would not have been a success.
  if (meta.status < 200 || meta.status > 299) return 'proceed';
  const ifMatch = fieldValue(headers, 'if-match');
  if (ifMatch !== undefined) {
    if (!matchesAny(ifMatch, meta.headers, strongMatch)) return 'precondition-failed';
  } else if (!isUnmodifiedSince(headers, meta)) {
    return 'precondition-failed';
  }
  const ifNoneMatch = fieldValue(headers, 'if-none-match');
  if (ifNoneMatch !== undefined) {
    return matchesAny(ifNoneMatch, meta.headers, weakMatch) ? 'not-modified' : 'proceed';
  }
  return isNotModifiedSince(headers, meta) ? 'not-modified' : 'proceed';
}

/**
 * The conditional fields that validate a stored response, its validators byte for byte; empty when
 * it has none. RFC 9111 section 4.3.1.
 */
export function validationFields(meta: { readonly headers: RawHeaders }): RawHeaders {
  const fields: string[] = [];
  const etag = soleValue(meta.headers, 'etag');
  if (etag) fields.push('If-None-Match', etag);
  const modified = soleValue(meta.headers, 'last-modified');
  if (modified) fields.push('If-Modified-Since', modified);
  return fields;
}

/** Representation metadata that describes a body which a 304 does not have. */
const representationMetadata: ReadonlySet<string> = new Set([
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
  'digest',
  'repr-digest',
]);

/**
 * The fields of a 304 made from a response: what it must carry (Content-Location, Date, ETag, Vary,
 * Cache-Control, Expires) and all else that is not representation metadata, since that may differ
 * from what the client stored; Last-Modified only where no ETag is. RFC 9110 section 15.4.5.
 */
export function notModifiedFields(headers: RawHeaders): RawHeaders {
  const hasEtag = fieldValue(headers, 'etag') !== undefined;
  const fields: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (representationMetadata.has(name) || (hasEtag && name === 'last-modified')) continue;
    fields.push(headers[i] as string, headers[i + 1] as string);
  }
  return fields;
}

/**
 * The strong entity-tag with its quotes; undefined when it is weak, malformed, absent or repeated:
 * bytes are never joined under it then. RFC 9110 section 8.8.3.
 */
export function strongEtag(headers: RawHeaders): string | undefined {
  const etag = soleValue(headers, 'etag');
  return etag !== undefined && isStrong(etag) ? etag : undefined;
}

/** The opaque tag, without the mark of weakness. RFC 9110 section 8.8.3.2. */
export function opaqueTag(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}

/** The value of a field that is there once, trimmed; a repeated validator validates nothing. */
export function soleValue(headers: RawHeaders, name: string): string | undefined {
  return soleLine(headers, name)?.trim();
}

function isStrong(etag: string): boolean {
  return /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag);
}

type Comparison = (candidate: string, current: string) => boolean;

/** RFC 9110 section 8.8.3.2: both strong, and the same. */
const strongMatch: Comparison = (candidate, current) => candidate === current && isStrong(current);

/**
 * RFC 9110 section 8.8.3.2: the same but for weakness. A tag that came without quotes matches the
 * client's echo of it.
 */
const weakMatch: Comparison = (candidate, current) => opaqueTag(candidate) === opaqueTag(current);

/** RFC 9110 sections 13.1.1 and 13.1.2: `*` is any representation, else one of the listed tags. */
function matchesAny(condition: string, headers: RawHeaders, same: Comparison): boolean {
  if (condition.trim() === '*') return true;
  const etag = soleValue(headers, 'etag');
  if (!etag) return false;
  return entityTags(condition).some((candidate) => same(candidate, etag));
}

/** The members of a list of entity-tags; a quoted one may hold commas and knows no escapes. */
function entityTags(list: string): readonly string[] {
  return list.match(/(?:[^,"]|"[^"]*"?)+/g)?.map((tag) => tag.trim()) ?? [];
}

/** RFC 9110 section 13.1.4; true as well where there is nothing to compare. */
function isUnmodifiedSince(request: RawHeaders, meta: SelectedRepresentation): boolean {
  const condition = conditionDate(request, 'if-unmodified-since', meta);
  if (condition === undefined) return true;
  const modified = dateOf(meta, 'last-modified');
  return modified === undefined || modified <= condition;
}

/** RFC 9110 section 13.1.3, RFC 9111 section 4.3.2. */
function isNotModifiedSince(request: RawHeaders, meta: SelectedRepresentation): boolean {
  const condition = conditionDate(request, 'if-modified-since', meta);
  if (condition === undefined) return false;
  // Without Last-Modified its Date, without that the time of receipt bounds the modification.
  const modified = dateOf(meta, 'last-modified') ?? dateOf(meta, 'date') ?? meta.responseTime;
  return modified !== undefined && modified <= condition;
}

/** RFC 9110 sections 13.1.3 and 13.1.4: a value that is no HTTP-date is ignored. */
function conditionDate(
  headers: RawHeaders,
  name: string,
  { responseTime }: SelectedRepresentation,
): number | undefined {
  const value = fieldValue(headers, name);
  return value === undefined ? undefined : parseHttpDate(value.trim(), responseTime);
}

function dateOf(
  { headers, responseTime }: SelectedRepresentation,
  name: string,
): number | undefined {
  const value = soleValue(headers, name);
  return value === undefined ? undefined : parseHttpDate(value, responseTime);
}
