import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import { fieldValue, type RawHeaders } from '../../src/core/raw-headers.ts';
import { evaluatePreconditions } from '../../src/policy/conditional.ts';
import { decide } from '../../src/policy/decide.ts';
import { currentAge } from '../../src/policy/freshness.ts';
import { cacheStatusField } from '../../src/telemetry/cache-status.ts';
import type { MicroCase } from './case.ts';
import { nth, requests } from './requests.ts';
import { now, options, storedFor } from './responses.ts';

/** What the policy may cost a request on a hot hit, in nanoseconds. */
export const hotHitBudget = 2_000;

/** All of policy that a hot hit goes through: decision, age, preconditions, range, Cache-Status. */
function hotHit(headers: RawHeaders, variants: readonly ArtifactMeta[], at: number): number {
  const request = { method: 'GET', headers };
  const decision = decide(request, variants, options, at);
  if (decision.kind !== 'fresh') throw new Error(`not a hit but ${decision.kind}`);
  const { meta, ttl } = decision;
  const age = currentAge(meta, at);
  const precondition = evaluatePreconditions(request, meta);
  const range = fieldValue(headers, 'range');
  const field = cacheStatusField({ outcome: 'hit', cacheStatus: { hit: true, ttl } });
  return (
    age + precondition.length + field.charCodeAt(field.length - 1) + (range === undefined ? 0 : 1)
  );
}

function hitsOf(name: string, lists: readonly RawHeaders[], others = 0): MicroCase {
  const meta = storedFor(lists[0] as RawHeaders);
  // Variants that another request selected, before the one that this one does.
  const more = Array.from({ length: others }, (_, i) =>
    storedFor(['Accept', `application/x-${i}`, 'Accept-Encoding', 'identity']),
  );
  const variants = [...more, meta];
  return {
    name,
    times: 1_000,
    budget: hotHitBudget,
    run(times) {
      let sum = 0;
      // The clock moves on, as it does: nothing of the age can be remembered.
      for (let i = 0; i < times; i++) sum += hotHit(nth(lists, i), variants, now + i);
      return sum;
    },
  };
}

export const hotHitCases: readonly MicroCase[] = [
  hitsOf('hot hit', requests()),
  hitsOf('hot hit, the last of 4 variants', requests(), 3),
  hitsOf('hot hit, two spellings of the Vary fields in turn', spelledInTurn()),
  hitsOf(
    'hot hit, If-None-Match and Cache-Control asked',
    requests([
      ['If-None-Match', '"0000", W/"1111", "5f2b9c3e8a7d4f10b6c2e9a1d3f48b75"'],
      ['Cache-Control', 'max-age=600'],
    ]),
  ),
  hitsOf(
    'hot hit, If-Modified-Since',
    requests([['If-Modified-Since', new Date(now - 86_400_000).toUTCString()]]),
  ),
];

/** Nothing that matched last helps where the next client writes the same list another way. */
function spelledInTurn(): readonly RawHeaders[] {
  const other = requests().map((headers) =>
    headers.map((text) => (text === 'gzip, deflate, br' ? 'br,gzip,deflate' : text)),
  );
  return requests().map((headers, i) => (i % 2 === 0 ? headers : nth(other, i)));
}
