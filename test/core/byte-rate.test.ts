import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatByteRate, parseByteRate } from '../../src/core/byte-rate.ts';

it.each([
  ['10MiB/s', 10 * 2 ** 20],
  ['1.5 GB / s', 1_500_000_000],
  ['512kib/S', 524_288],
  ['100B/s', 100],
])('%s is a rate', (text, bytes) => {
  expect(parseByteRate(text)).toBe(bytes);
});

it.each(['10MiB', '10', '10/s', 'MiB/s', '10Mbit/s', '-1MiB/s', '10MiB/min', ''])(
  '%j is none',
  (text) => {
    expect(parseByteRate(text)).toBeUndefined();
  },
);

it('every whole rate comes back from its text', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      expect(parseByteRate(formatByteRate(bytes))).toBe(bytes);
    }),
  );
});
