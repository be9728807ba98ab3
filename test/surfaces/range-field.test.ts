import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectRanges } from '../../src/policy/byte-range.ts';
import { partOf, takeRangeField, takeRangeLine } from '../../src/surfaces/range-field.ts';

const number = fc.oneof(fc.nat(12), fc.nat(2 ** 31), fc.constant(999_999_999_999_999)).map(String);
const range = fc
  .oneof(
    fc.tuple(number, number).map(([first, last]) => `${first}-${last}`),
    number.map((first) => `${first}-`),
    number.map((last) => `-${last}`),
    number.map((first) => `0${first}-00${first}`),
  )
  .map((text) => `bytes=${text}`);

test('one range selects what the policy says, or is left to it', () => {
  fc.assert(
    fc.property(range, fc.oneof(fc.nat(12), fc.nat(2 ** 31)), (value, size) => {
      const said = selectRanges(value, size);
      expect(partOf(value, size)).toEqual(said.kind === 'ranges' ? said.ranges[0] : undefined);
    }),
    { numRuns: 2_000 },
  );
});

test.each<[string, string]>([
  ['Range: bytes=1-2\r\nHost: x', 'Host: x'],
  ['Host: x\r\nrange:bytes=1-2\r\nAccept: */*', 'Host: x\r\nAccept: */*'],
  ['Host: x\r\nRANGE: Bytes=1-2', 'Host: x'],
  ['Range: bytes=1-2', ''],
  ['Host: x\r\nRange: bytes=1-2\r\n ,5-6', 'Host: x\r\n ,5-6'],
  ['Range: bytes=1-2\r\nHost: x\r\nRange: bytes=3-4', 'Host: x\r\nRange: bytes=3-4'],
])('of %j there is left %j', (block, fields) => {
  expect(takeRangeLine(block)).toMatchObject({ fields });
});

test.each([
  'Host: x',
  'X-Range: bytes=1-2',
  'Range : bytes=1-2',
  'Range:  bytes=1-2',
  'Range: bytes=1-2 ',
  'Range: bytes=1-2,3-4',
  'Range: bytes=-',
  'Range: bytes=1-2\nHost: x',
  'Range: items=1-2',
  'Range: bytes=1234567890123456-',
  'A: b\nRange: bytes=1-2',
])('%j has none that is taken', (block) => {
  expect(takeRangeLine(block)).toBeUndefined();
});

test('of fields that were read the one range is taken, and none that is unusual', () => {
  const fields = ['Host', 'x', 'rAnge', 'bytes=1-', 'Accept', '*/*'];
  expect(takeRangeField(fields)).toEqual({
    fields: ['Host', 'x', 'Accept', '*/*'],
    range: 'bytes=1-',
  });
  expect(takeRangeField(['Range', 'bytes=1-2,4-5'])).toBeUndefined();
  expect(takeRangeField(['Host', 'x'])).toBeUndefined();
});
