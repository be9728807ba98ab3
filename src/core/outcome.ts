/**
 * What became of a request. The log's `outcome`, the metrics' label and `Cache-Status` say this word.
 *
 * - `hit`: a fresh stored response, no upstream contact
 * - `stale`: a stored response past its lifetime, as stale-while-revalidate or stale-if-error allow
 * - `revalidated`: the upstream confirmed the stored response with a 304
 * - `miss`: fetched from the upstream by this request
 * - `collapsed`: served from a fill that another request had begun
 * - `bypass`: fetched for this request alone, because it may not be shared
 * - `passthrough`: proxied untouched (other methods, uncacheable endpoints, upgrades)
 * - `refused`: the gateway's own 4xx, nothing was forwarded
 * - `failed`: the gateway's own 5xx
 */
export const cacheOutcomes = [
  'hit',
  'stale',
  'revalidated',
  'miss',
  'collapsed',
  'bypass',
  'passthrough',
  'refused',
  'failed',
] as const;
export type CacheOutcome = (typeof cacheOutcomes)[number];

/** Why a request went forward: RFC 9211 section 2.2. */
export type ForwardReason =
  | 'bypass'
  | 'method'
  | 'uri-miss'
  | 'vary-miss'
  | 'miss'
  | 'request'
  | 'stale'
  | 'partial';
