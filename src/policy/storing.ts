import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { allowsHeuristic, hasExplicitFreshness } from './freshness.ts';
import { resolveReference } from './invalidation.ts';
import type { PolicyOptions, RequestView } from './policy-options.ts';
import { requestDirectives } from './request-directives.ts';
import { type ResponseDirectives, responseDirectives } from './response-directives.ts';
import { varyOf } from './vary.ts';

/** Why a response is not stored. */
export type StoreRefusal =
  | 'method'
  | 'status'
  | 'server-error'
  | 'request-no-store'
  | 'no-store'
  | 'private'
  | 'must-understand'
  | 'authorization'
  | 'vary-star'
  | 'no-freshness'
  | 'set-cookie';

export type StoreVerdict =
  | { readonly store: true }
  | { readonly store: false; readonly reason: StoreRefusal };

/** Final status codes that RFC 9110 section 15 defines and this cache honours. */
const understood: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405,
  406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426, 500, 501, 502, 503,
  504, 505,
]);

/**
 * Whether a shared cache may store the response to this request. RFC 9111 section 3. A partial body
 * (206) and an update (304) are no responses of their own.
 */
export function mayStore(
  request: RequestView,
  response: { readonly status: number; readonly headers: RawHeaders },
  options: PolicyOptions,
): StoreVerdict {
  const directives = responseDirectives(response.headers, options.targetedFields);
  const reason = refusal(request, response, directives, options);
  return reason === undefined ? { store: true } : { store: false, reason };
}

/**
 * Whether the response to a POST may answer a later GET: it says for how long, and that it is what a
 * GET of that URL (canonical) would get. RFC 9110 sections 9.3.3 and 8.7, RFC 9111 section 4.
 */
export function mayStorePosted(
  { url, headers }: { readonly url: string; readonly headers: RawHeaders },
  response: { readonly status: number; readonly headers: RawHeaders },
  options: PolicyOptions,
): boolean {
  const location = fieldValue(response.headers, 'content-location')?.trim();
  if (response.status !== 200 || location === undefined) return false;
  if (resolveReference(location, url) !== url) return false;
  const directives = responseDirectives(response.headers, options.targetedFields);
  if (!hasExplicitFreshness(directives, response.headers)) return false;
  return mayStore({ method: 'GET', headers }, response, options).store;
}

/** Whether a refusal is for the request's sake: what it says of the response is nothing. */
export function refusesRequest(reason: StoreRefusal): boolean {
  return reason === 'method' || reason === 'request-no-store' || reason === 'authorization';
}

function refusal(
  request: RequestView,
  { status, headers }: { readonly status: number; readonly headers: RawHeaders },
  directives: ResponseDirectives,
  { storeSetCookie, storeServerErrors }: PolicyOptions,
): StoreRefusal | undefined {
  if (request.method !== 'GET') return 'method';
  if (!isStorableStatus(status)) return 'status';
  if (status >= 500 && !storeServerErrors) return 'server-error';
  if (directives.mustUnderstand && !understood.has(status)) return 'must-understand'; // 5.2.2.3
  // 5.2.2.3: for a status that is understood, must-understand overrides no-store.
  if (directives.noStore && !directives.mustUnderstand) return 'no-store';
  if (requestDirectives(request.headers).noStore) return 'request-no-store'; // 5.2.1.5
  if (directives.private) return 'private'; // 5.2.2.7
  if (fieldValue(request.headers, 'authorization') !== undefined && !sharesAuthorized(directives)) {
    return 'authorization';
  }
  const explicit = hasExplicitFreshness(directives, headers);
  if (!explicit && !allowsHeuristic(status, directives)) return 'no-freshness';
  if (fieldValue(headers, 'set-cookie') !== undefined) {
    // Section 7.3: it does not inhibit caching. By default a cookie that was perhaps meant for one
    // client is shared only where the origin has thought of caches: storing is never an obligation.
    const shared = storeSetCookie === 'always' || explicit || directives.public;
    if (storeSetCookie === 'never' || !shared) return 'set-cookie';
  }
  // It would match no request (4.1).
  return varyOf([], headers) === '*' ? 'vary-star' : undefined;
}

function isStorableStatus(status: number): boolean {
  return status >= 200 && status <= 599 && status !== 206 && status !== 304;
}

/** RFC 9111 section 3.5. */
function sharesAuthorized({ public: open, mustRevalidate, sMaxage }: ResponseDirectives): boolean {
  return open || mustRevalidate || sMaxage !== undefined;
}
