import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatByteSize, parseByteSize } from '../../src/core/byte-size.ts';

test.each([
  ['0', 0],
  ['4096', 4096],
  ['10B', 10],
  ['1KiB', 1024],
  ['1kB', 1000],
  ['256MiB', 268_435_456],
  ['256 mib', 268_435_456],
  ['20GiB', 21_474_836_480],
  ['1GB', 1_000_000_000],
  ['1.5GiB', 1_610_612_736],
  ['2TiB', 2_199_023_255_552],
])('%s is %d bytes', (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each(['', 'x', '-1', '1K', '12M', '1 0', '1e6', '0x10', '1MiBs', '.5MiB', '99999TiB'])(
  '%j is no byte size',
  (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  },
);

test.each([
  [0, '0'],
  [1, '1'],
  [268_435_456, '256MiB'],
  [1_000_000_000, '1GB'],
  [1024, '1KiB'],
  [1000, '1kB'],
  [1234, '1234'],
])('%d bytes are written %s', (bytes, text) => {
  expect(formatByteSize(bytes)).toBe(text);
});

test('what is written is read back exactly', () => {
  const scaled = fc
    .tuple(fc.nat(4096), fc.constantFrom(1, 1e3, 1024, 1e6, 2 ** 20, 1e9, 2 ** 30))
    .map(([count, factor]) => count * factor);
  fc.assert(
    fc.property(fc.oneof(scaled, fc.maxSafeNat()), (bytes) => {
      expect(parseByteSize(formatByteSize(bytes))).toBe(bytes);
    }),
  );
});
