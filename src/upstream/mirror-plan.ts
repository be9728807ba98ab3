import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { type Candidate, candidatesFor, mappedCandidate } from './candidates.ts';
import type { DownloadRequest } from './downloader.ts';
import type { Option, Ranking } from './mirror-choice.ts';
import type { MirrorRules } from './mirror-rules.ts';
import { type Segment, segmentOf } from './segment-check.ts';
import { type ExpectedSizes, type SizeClass, sizeClassOf } from './size-class.ts';

/** Where a request may go, before anybody asks which is the fastest. */
export interface Places {
  /** The upstreams as configured, then the mirrors of the rules; the first one is the origin. */
  readonly candidates: readonly Candidate[];
  readonly excluded: readonly { readonly origin: string; readonly reason: string }[];
  readonly mode: 'measured' | 'ordered' | 'only';
  readonly segment: Segment | undefined;
}

/** A candidate with what the choice needs to know of it. */
export interface PlannedOption extends Option {
  readonly candidate: Candidate;
}

/** What to ask for a request, in order. */
export interface Plan extends Places {
  readonly order: readonly Candidate[];
  readonly expectedBytes: number;
  readonly sizeClass: SizeClass;
  /** When the first one is late, and may be raced on the second; milliseconds. */
  readonly lateMs: number | undefined;
}

/** A plan with what it was made from. */
export interface ExplainedPlan extends Plan {
  readonly ranking: Ranking<PlannedOption>;
}

/** How many bytes the answer to a request may have. */
export function expectedBytesOf(
  { size, purpose }: DownloadRequest,
  segment: Segment | undefined,
  sizes: ExpectedSizes,
): number {
  if (segment === undefined) return size ?? sizes.expected(purpose);
  return segment.range.last - segment.range.first + 1;
}

/** The plan where there is no choice: nothing is weighed. */
export function onlyPlan(request: DownloadRequest, places: Places, sizes: ExpectedSizes): Plan {
  const { candidates, excluded, mode, segment } = places;
  const expectedBytes = expectedBytesOf(request, segment, sizes);
  return {
    candidates,
    excluded,
    mode,
    segment,
    order: candidates,
    expectedBytes,
    sizeClass: sizeClassOf(expectedBytes),
    lateMs: undefined,
  };
}

/** The places that may serve a request. Rules are asked for GETs without credentials only. */
export function placesFor(request: DownloadRequest, rules: MirrorRules): Places {
  const own = candidatesFor(request.url, request.upstreams);
  const [origin] = own;
  const { method, headers, avoid } = request;
  // RFC 9110 section 9.2.1: only what changes nothing may be asked again elsewhere.
  if (method !== 'GET' && method !== 'HEAD') {
    return { candidates: [origin], excluded: [], mode: 'only', segment: undefined };
  }
  const elsewhere = rules.map(request.url);
  if (own.length === 1 && elsewhere.length === 0)
    return { candidates: own, excluded: [], mode: 'only', segment: undefined };
  const asked = segmentOf(headers);
  // A client's own range needs no proof: whatever is said to it is an answer.
  const segment = asked?.etag !== undefined || request.digest !== undefined ? asked : undefined;
  // A part of a known representation is the same wherever it is; a document may be of another day.
  const interchangeable = request.order !== 'configured' || segment?.etag !== undefined;
  const candidates: Candidate[] = [];
  const excluded: { origin: string; reason: string }[] = [];
  for (const candidate of [...own, ...elsewhere.map(mappedCandidate)]) {
    const isOwn = candidates.length + excluded.length < own.length;
    const reason = avoid?.has(candidate.origin)
      ? 'it has another representation of this object'
      : exclusion(request, candidate, { segment, interchangeable, isOwn });
    if (reason === undefined) candidates.push(candidate);
    else excluded.push({ origin: candidate.origin, reason });
  }
  // Whatever is known against it, the answer is the origin's to give.
  if (!candidates.some(({ trust }) => trust === 'full')) candidates.push(origin);
  const mode = candidates.length === 1 ? 'only' : interchangeable ? 'measured' : 'ordered';
  return { candidates, excluded, mode, segment };
}

/** Whether a condition of the client's, or of a validation, is in the request. */
export function isConditional(headers: RawHeaders): boolean {
  return (
    fieldValue(headers, 'if-none-match') !== undefined ||
    fieldValue(headers, 'if-modified-since') !== undefined
  );
}

function exclusion(
  request: DownloadRequest,
  candidate: Candidate,
  {
    segment,
    interchangeable,
    isOwn,
  }: { segment: Segment | undefined; interchangeable: boolean; isOwn: boolean },
): string | undefined {
  if (!isOwn && !interchangeable) return 'documents that change come from the upstreams only';
  if (candidate.trust === 'full') return undefined;
  if (request.method !== 'GET') return 'a mirror that is to be verified serves GET only';
  if (hasCredentials(request)) return 'the request has credentials';
  if (request.url.includes('?')) return 'the URL has a query, which may hold a token';
  if (isConditional(request.headers)) return 'only the origin says whether a copy is still valid';
  if (request.digest === undefined && segment?.etag === undefined) {
    return 'nothing proves what it would serve: no digest is known, and no strong validator';
  }
  return undefined;
}

function hasCredentials({ headers, upstreams }: DownloadRequest): boolean {
  return (
    upstreams[0]?.authorization !== undefined ||
    fieldValue(headers, 'authorization') !== undefined ||
    fieldValue(headers, 'cookie') !== undefined
  );
}
