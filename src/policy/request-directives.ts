import type { RawHeaders } from '../core/raw-headers.ts';
import {
  deltaSeconds,
  maxDeltaSeconds,
  parseDeltaSeconds,
  parseDirectives,
} from './cache-control.ts';

/** What a client asks of a cache. RFC 9111 section 5.2.1, and RFC 5861 section 4. */
export interface RequestDirectives {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  /** Seconds of age that are still welcome; undefined: any. */
  readonly maxAge: number | undefined;
  /** Seconds of freshness that must remain. */
  readonly minFresh: number;
  /** Seconds of staleness that are welcome; undefined: none, Infinity: any. */
  readonly maxStale: number | undefined;
  /** Seconds of staleness that are welcome instead of an error; undefined: not said. */
  readonly staleIfError: number | undefined;
}

const none: RequestDirectives = {
  noCache: false,
  noStore: false,
  onlyIfCached: false,
  maxAge: undefined,
  minFresh: 0,
  maxStale: undefined,
  staleIfError: undefined,
};

/**
 * Reads `Cache-Control`, or `Pragma` where that is absent (RFC 9111 section 5.4). An argument that
 * does not parse counts as the more cautious choice; the first of repeated directives counts.
 */
export function requestDirectives(headers: RawHeaders): RequestDirectives {
  let lines: string[] | undefined;
  let pragma: string[] | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === 13 && name.toLowerCase() === 'cache-control') {
      lines ??= [];
      lines.push(headers[i + 1] as string);
    } else if (name.length === 6 && name.toLowerCase() === 'pragma') {
      pragma ??= [];
      pragma.push(headers[i + 1] as string);
    }
  }
  if (lines) return fromCacheControl(lines);
  if (pragma) return { ...none, noCache: hasNoCache(pragma) };
  return none;
}

function fromCacheControl(lines: readonly string[]): RequestDirectives {
  let { noCache, noStore, onlyIfCached } = none;
  let maxAge: number | undefined;
  let minFresh: number | undefined;
  let maxStale: number | undefined;
  let staleIfError: number | undefined;
  for (const line of lines) {
    for (const directive of parseDirectives(line)) {
      switch (directive.name) {
        case 'no-cache': // 5.2.1.4
          noCache = true;
          break;
        case 'no-store': // 5.2.1.5
          noStore = true;
          break;
        case 'only-if-cached': // 5.2.1.7
          onlyIfCached = true;
          break;
        case 'max-age': // 5.2.1.1
          maxAge ??= deltaSeconds(directive);
          break;
        case 'min-fresh': // 5.2.1.3
          minFresh ??= parseDeltaSeconds(directive.argument ?? '') ?? maxDeltaSeconds;
          break;
        case 'max-stale': // 5.2.1.2: without an argument any age will do
          maxStale ??= directive.argument === undefined ? Infinity : deltaSeconds(directive);
          break;
        case 'stale-if-error': // RFC 5861 section 4
          staleIfError ??= deltaSeconds(directive);
          break;
      }
    }
  }
  return {
    noCache,
    noStore,
    onlyIfCached,
    maxAge,
    minFresh: minFresh ?? 0,
    maxStale,
    staleIfError,
  };
}

function hasNoCache(lines: readonly string[]): boolean {
  return lines.some((line) => parseDirectives(line).some(({ name }) => name === 'no-cache'));
}
