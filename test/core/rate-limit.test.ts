import { expect, it } from 'vitest';
import { rateLimitOf } from '../../src/core/rate-limit.ts';

it.each([
  [
    ['RateLimit-Limit', '100;w=21600', 'RateLimit-Remaining', '76;w=21600'],
    { remaining: 76, limit: 100, windowSeconds: 21_600 },
  ],
  [['ratelimit-remaining', ' 5 '], { remaining: 5 }],
  [
    ['RateLimit-Limit', '10, 10;w=1, 50;w=60', 'RateLimit-Remaining', '0'],
    { remaining: 0, limit: 10 },
  ],
  [
    ['X-RateLimit-Limit', '60;w=3600', 'X-RateLimit-Remaining', '59'],
    { remaining: 59, limit: 60, windowSeconds: 3600 },
  ],
  [['RateLimit-Remaining', 'many', 'X-RateLimit-Remaining', '3'], { remaining: 3 }],
  [['RateLimit-Remaining', '-1'], undefined],
  [['RateLimit-Remaining', '1e9'], undefined],
  [['RateLimit-Limit', '100'], undefined],
  [[], undefined],
])('%j tells of %j', (headers, limit) => {
  expect(rateLimitOf(headers)).toEqual(limit);
});
