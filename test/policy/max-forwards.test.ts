import { expect, it } from 'vitest';
import { maxForwards } from '../../src/policy/max-forwards.ts';

it.each<[string, string[], number | undefined]>([
  ['OPTIONS', ['Max-Forwards', '0'], 0],
  ['OPTIONS', ['max-forwards', ' 12 '], 12],
  ['OPTIONS', ['Max-Forwards', '9'.repeat(30)], Number.MAX_SAFE_INTEGER],
  ['OPTIONS', [], undefined],
  ['OPTIONS', ['Max-Forwards', '-1'], undefined],
  ['OPTIONS', ['Max-Forwards', '1.5'], undefined],
  ['OPTIONS', ['Max-Forwards', ''], undefined],
  ['OPTIONS', ['Max-Forwards', '1', 'Max-Forwards', '2'], undefined],
  ['GET', ['Max-Forwards', '0'], undefined],
  ['POST', ['Max-Forwards', '0'], undefined],
])('%s with %j goes %s hops further (RFC 9110 section 7.6.2)', (method, headers, hops) => {
  expect(maxForwards(method, headers)).toBe(hops);
});
