import { fieldValue, type RawHeaders } from './raw-headers.ts';

/** What an upstream says it has left for the gateway. */
export interface RateLimit {
  /** Requests, by the upstream's own count. */
  readonly remaining: number;
  /** Of so many in a window. */
  readonly limit?: number;
  readonly windowSeconds?: number;
}

/** The usual names, and those that were in use before them. */
const families = ['ratelimit', 'x-ratelimit'] as const;
const remainingOf = {
  ratelimit: 'ratelimit-remaining',
  'x-ratelimit': 'x-ratelimit-remaining',
} as const;

/**
 * The rate limit that a response tells of; undefined: it tells of none. Docker Hub says `76;w=21600`:
 * 76 are left in a window of six hours. draft-ietf-httpapi-ratelimit-headers-03.
 */
export function rateLimitOf(headers: RawHeaders): RateLimit | undefined {
  for (const family of families) {
    const text = fieldValue(headers, remainingOf[family]);
    const remaining = text === undefined ? undefined : quota(text);
    if (remaining === undefined) continue;
    const limit = quota(fieldValue(headers, `${family}-limit`));
    const windowSeconds = remaining.windowSeconds ?? limit?.windowSeconds;
    return {
      remaining: remaining.count,
      ...(limit && { limit: limit.count }),
      ...(windowSeconds !== undefined && { windowSeconds }),
    };
  }
  return undefined;
}

/** The first member of a list, with its window in seconds. */
function quota(value: string | undefined): { count: number; windowSeconds?: number } | undefined {
  const [, count, window] =
    /^\s*(\d{1,15})(?:\s*;\s*w=(\d{1,15}))?\s*(?:[,;]|$)/.exec(value ?? '') ?? [];
  if (count === undefined) return undefined;
  return { count: Number(count), ...(window !== undefined && { windowSeconds: Number(window) }) };
}
