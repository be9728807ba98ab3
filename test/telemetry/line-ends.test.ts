import { expect, test } from 'vitest';
import { LineEnds, lineEnd } from '../../src/telemetry/line-ends.ts';

test.each([
  [0, 30, ',"durationMs":0,"client":"::1","ttl":30,"msg":"request"}\n'],
  [7, 0, ',"durationMs":7,"client":"::1","ttl":0,"msg":"request"}\n'],
  [8, 30, ',"durationMs":8,"client":"::1","ttl":30,"msg":"request"}\n'],
  [0.26, 30, ',"durationMs":0.3,"client":"::1","ttl":30,"msg":"request"}\n'],
  [0, -5, ',"durationMs":0,"client":"::1","ttl":-5,"msg":"request"}\n'],
  [0, 2 ** 40, ',"durationMs":0,"client":"::1","ttl":1099511627776,"msg":"request"}\n'],
  [0, undefined, ',"durationMs":0,"client":"::1","msg":"request"}\n'],
])('the end of a line of %s ms that is fresh for %s s', (durationMs, ttl, text) => {
  const ends = new LineEnds();
  for (let i = 0; i < 3; i++) expect(ends.of('::1', durationMs, ttl)).toBe(text);
});

test('no end is taken for another, and those of many clients do not pile up', () => {
  const ends = new LineEnds();
  for (let i = 0; i < 20_000; i++) {
    const [client, durationMs, ttl] = [`10.0.${i % 7}.${i % 250}`, i % 9, (i * 31) % 3_000];
    expect(ends.of(client, durationMs, ttl)).toBe(lineEnd(client, durationMs, ttl, false));
  }
});
