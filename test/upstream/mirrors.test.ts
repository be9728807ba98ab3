import { expect, it } from 'vitest';
import { FailureMemory, orderUpstreams } from '../../src/upstream/mirrors.ts';

const a = { url: 'http://a.test/x' };
const b = { url: 'http://b.test/x' };
const c = { url: 'http://c.test/x' };

it('keeps the configured order, hosts that failed lately last, in their order', () => {
  const now = 1_000;
  expect(orderUpstreams([a, b, c], new Map(), now)).toEqual([a, b, c]);
  const failed = new Map([
    ['http://a.test', 1_001],
    ['http://b.test', 1_001],
    ['http://c.test', 1_000],
  ]);
  expect(orderUpstreams([a, b, c], failed, now)).toEqual([c, a, b]);
});

it('a host that failed is asked last for the cool-down, then tried by one request at a time', () => {
  const memory = new FailureMemory(10_000);
  const order = (now: number): string =>
    orderUpstreams([a, b], memory.state, now)
      .map(({ url }) => url[7])
      .join('');
  memory.failed('http://a.test', 'connection_refused', 0);
  expect(order(9_999)).toBe('ba');
  expect(order(10_000)).toBe('ab');
  memory.asked('http://a.test', 10_000);
  expect(order(10_001)).toBe('ba');
  memory.failed('http://a.test', 'connection_timeout', 12_000);
  expect(order(21_999)).toBe('ba');
  memory.asked('http://a.test', 22_000);
  memory.answered('http://a.test');
  expect(order(22_001)).toBe('ab');
});

it('errors that say nothing of the host are not held against it', () => {
  const memory = new FailureMemory(10_000);
  for (const code of ['client_gone', 'http_protocol_error', 'redirect_loop'] as const) {
    memory.failed('http://a.test', code, 0);
  }
  memory.asked('http://a.test', 0);
  expect([...memory.state]).toEqual([]);
});
