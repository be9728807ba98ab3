import type { CacheOutcome } from '../core/outcome.ts';
import type { RequestCell } from './request-totals.ts';

/** Shares between 0 and 1; undefined before the first request that could be cached. */
export interface HitRatio {
  /** Of the requests that could be cached: how many made no upstream request of their own. */
  readonly requests: number | undefined;
  /** Of the bytes of those requests: how many did not have to be fetched for them. */
  readonly bytes: number | undefined;
}

/** The client did not wait for an upstream request of its own. */
const answered: ReadonlySet<CacheOutcome> = new Set(['hit', 'stale', 'collapsed']);
/** The body was not fetched for this client; a validation brings no body. */
const savedBytes: ReadonlySet<CacheOutcome> = new Set([...answered, 'revalidated']);
/** What the cache cannot help does not count against it. */
const cacheable: ReadonlySet<CacheOutcome> = new Set([...savedBytes, 'miss', 'bypass']);

/** The hit ratios over all requests since the start. */
export function hitRatio(cells: readonly Readonly<RequestCell>[]): HitRatio {
  let requests = 0;
  let hits = 0;
  let bytes = 0;
  let saved = 0;
  for (const cell of cells) {
    if (!cacheable.has(cell.outcome)) continue;
    requests += cell.requests;
    bytes += cell.bytesOut;
    if (answered.has(cell.outcome)) hits += cell.requests;
    if (savedBytes.has(cell.outcome)) saved += cell.bytesOut;
  }
  return {
    requests: requests === 0 ? undefined : hits / requests,
    bytes: bytes === 0 ? undefined : saved / bytes,
  };
}
