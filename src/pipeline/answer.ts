import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import {
  contentRange,
  ifRangeMatches,
  selectRanges,
  unsatisfiedRange,
} from '../policy/byte-range.ts';
import { evaluatePreconditions, notModifiedFields } from '../policy/conditional.ts';
import type { RequestView } from '../policy/policy-options.ts';
import { multipart } from './multipart.ts';

/** What goes back to a client: complete but for the fields that describe the request's own way. */
export interface Answer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: AnswerBody;
  /** Body bytes fetched for this request so far; absent where nothing was. */
  readonly bytesIn?: () => number;
  /** What in the store it was made from, where it is the whole of that, one range, or has no body. */
  readonly stored?: StoredSource;
}

/** With the request and the age, all that an answer from the store depends on. */
export interface StoredSource {
  /** The response that the request selected. */
  readonly meta: ArtifactMeta;
  /** That one's, or the derived document's. */
  readonly body: BodyRef;
  /** The derived document's key. */
  readonly derivedKey?: string;
}

export type AnswerBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `size` undefined: until the reader ends. */
  | { readonly kind: 'stream'; readonly reader: BodyReader; readonly size: number | undefined };

/** A selected representation, wherever its bytes are. RFC 9110 section 3.2. */
export interface Representation {
  readonly status: number;
  /** End-to-end fields without `Content-Length` and `Age`. */
  readonly headers: RawHeaders;
  /** Bytes; undefined when the length is not known yet. */
  readonly size: number | undefined;
  /** Seconds; undefined for what did not come through the cache: its own `Age` stands. */
  readonly age?: number | undefined;
  /** When it came, or was last validated; milliseconds since the epoch. */
  readonly responseTime: number;
  readonly stored?: StoredSource;
  /** Nothing keeps it: what has been read once is gone, so ranges are read in order or not at all. */
  readonly passing?: boolean;
  /** The whole body when it is in memory. */
  bytes(): Uint8Array | undefined;
  /** A reader of the range; the whole without one. */
  open(range?: ByteRange): Promise<BodyReader> | BodyReader;
}

const bodyFields: ReadonlySet<string> = new Set(['content-length', 'age']);

/** Stored fields as a representation has them: what is counted anew for each answer is gone. */
export function representationFields(headers: RawHeaders): RawHeaders {
  return withoutFields(headers, bodyFields);
}

/**
 * Answers a GET or HEAD from a representation: preconditions first, then the range, then the whole.
 * RFC 9110 section 13.2.2. Undefined when a precondition fails, which is the origin's to say.
 */
export function answerFrom(
  view: RequestView,
  from: Representation,
): Promise<Answer | undefined> | Answer | undefined {
  const precondition = evaluatePreconditions(view, from);
  if (precondition === 'not-modified') return notModified(from);
  if (precondition === 'precondition-failed') return undefined;
  const range = fieldValue(view.headers, 'range');
  // RFC 9110 section 14.2: only a GET with a 200 has ranges; they are only counted where the length is known.
  const divisible = view.method === 'GET' && from.status === 200 && from.size !== undefined;
  return range !== undefined && divisible
    ? answerPart(range, view, from, from.size)
    : answerWhole(view, from);
}

async function answerPart(
  range: string,
  view: RequestView,
  from: Representation,
  size: number,
): Promise<Answer> {
  return (await answerRange(range, view.headers, from, size)) ?? answerWhole(view, from);
}

/**
 * The same from a representation in memory, at once. Undefined where that takes waiting, for parts of
 * it, and when a precondition fails.
 */
export function answerAtOnce(view: RequestView, from: Representation): Answer | undefined {
  const precondition = evaluatePreconditions(view, from);
  if (precondition === 'not-modified') return notModified(from);
  const isPart = fieldValue(view.headers, 'range') !== undefined;
  return precondition === 'precondition-failed' || isPart ? undefined : wholeAtOnce(view, from);
}

function notModified(from: Representation): Answer {
  const headers = withAge(notModifiedFields(from.headers), from);
  return { status: 304, headers, body: none, ...sourceOf(from) };
}

async function answerRange(
  range: string,
  requestHeaders: RawHeaders,
  from: Representation,
  size: number,
): Promise<Answer | undefined> {
  if (!ifRangeMatches(fieldValue(requestHeaders, 'if-range'), from.headers)) return undefined;
  const selection = selectRanges(range, size);
  if (selection.kind === 'unsatisfiable') {
    const headers = ['Content-Range', unsatisfiedRange(size), 'Content-Length', '0'];
    return { status: 416, headers, body: none };
  }
  if (selection.kind === 'whole') return undefined;
  const [only, ...others] = selection.ranges;
  if (only === undefined) return undefined;
  if (others.length > 0) return answerRanges(selection.ranges, from, size);
  const length = only.last - only.first + 1;
  const headers = withAge(from.headers, from);
  headers.push('Content-Range', contentRange(only, size), 'Content-Length', String(length));
  const bytes = from.bytes();
  const body: AnswerBody = bytes
    ? { kind: 'bytes', bytes: bytes.subarray(only.first, only.last + 1) }
    : { kind: 'stream', reader: await from.open(only), size: length };
  return { status: 206, headers, body, ...sourceOf(from) };
}

/** RFC 9110 section 15.3.7.2. */
async function answerRanges(
  ranges: readonly ByteRange[],
  from: Representation,
  size: number,
): Promise<Answer | undefined> {
  const inOrder = ranges.every(({ first }, i) => first > (ranges[i - 1]?.last ?? -1));
  // RFC 9110 section 14.2 lets a server ignore the field.
  if (from.passing && !inOrder) return undefined;
  const open = (range: ByteRange) => from.open(range);
  const parts = await multipart({ headers: from.headers, size, ranges, open });
  const headers = withAge(parts.headers, from);
  headers.push('Content-Length', String(parts.size));
  return {
    status: 206,
    headers,
    body: { kind: 'stream', reader: parts.reader, size: parts.size },
  };
}

function answerWhole(view: RequestView, from: Representation): Promise<Answer> | Answer {
  const answer = wholeAtOnce(view, from);
  if (answer) return answer;
  const reader = from.open();
  return reader instanceof Promise
    ? reader.then((opened) => streamed(from, opened))
    : streamed(from, reader);
}

function streamed(from: Representation, reader: BodyReader): Answer {
  const { status, size } = from;
  const body: AnswerBody = { kind: 'stream', reader, size };
  return { status, headers: wholeFields(from), body, ...sourceOf(from) };
}

function wholeAtOnce(view: RequestView, from: Representation): Answer | undefined {
  const { status } = from;
  const bodiless = view.method === 'HEAD' || isBodiless(status);
  const bytes = bodiless ? undefined : from.bytes();
  if (!bodiless && bytes === undefined) return undefined;
  const body: AnswerBody = bytes ? { kind: 'bytes', bytes } : none;
  return { status, headers: wholeFields(from), body, ...sourceOf(from) };
}

function wholeFields(from: Representation): RawHeaders {
  const { status, size, age, headers } = from;
  if (size === undefined || isBodiless(status)) return withAge(headers, from);
  const length = String(size);
  return age === undefined
    ? [...headers, 'Content-Length', length]
    : [...headers, 'Age', ageText(age), 'Content-Length', length];
}

function ageText(age: number): string {
  return String(Math.floor(age));
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

function withAge(headers: RawHeaders, { age }: Representation): string[] {
  return age === undefined ? [...headers] : [...headers, 'Age', ageText(age)];
}

function sourceOf({ stored }: Representation): Pick<Answer, 'stored'> {
  return stored === undefined ? {} : { stored };
}

const none: AnswerBody = { kind: 'none' };
