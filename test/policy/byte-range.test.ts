import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteRange } from '../../src/core/body.ts';
import {
  contentRange,
  ifRangeMatches,
  parseContentRange,
  RangeSet,
  selectRanges,
  unsatisfiedRange,
} from '../../src/policy/byte-range.ts';
import { date, type Fields, raw } from './stored.ts';

/** `0-4,7-9`, or the kind of what is no list of ranges. */
function select(value: string | undefined, size: number): string {
  const selection = selectRanges(value, size);
  if (selection.kind !== 'ranges') return selection.kind;
  return selection.ranges.map(({ first, last }) => `${first}-${last}`).join(',');
}

function positions({ first, last }: ByteRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

describe('Range (RFC 9110 sections 14.1.2 and 14.2)', () => {
  it.each([
    [undefined, 10, 'whole'],
    ['bytes=0-4', 10, '0-4'],
    ['bytes=0-0', 10, '0-0'],
    ['bytes=5-', 10, '5-9'],
    ['bytes=0-', 10, '0-9'],
    ['bytes=0-99', 10, '0-9'],
    ['bytes=-3', 10, '7-9'],
    ['bytes=-99', 10, '0-9'],
    ['BYTES=0-4', 10, '0-4'],
    [' bytes = 0-4 ', 10, '0-4'],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=10-20', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=99999999999999999999999-', 10, 'unsatisfiable'],
    ['bytes=0-99999999999999999999999', 10, '0-9'],
    ['bytes=0-0', 0, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-1', 0, 'whole'],
    ['bytes=-0', 0, 'unsatisfiable'],
    ['bytes=4-2', 10, 'whole'],
    ['bytes=a-b', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['bytes=', 10, 'whole'],
    ['bytes=,', 10, 'whole'],
    ['bytes', 10, 'whole'],
    ['bytes=1', 10, 'whole'],
    ['bytes=1 -2', 10, 'whole'],
    ['bytes=+1-2', 10, 'whole'],
    ['bytes=--2', 10, 'whole'],
    ['bytes=0x1-2', 10, 'whole'],
    ['lines=0-4', 10, 'whole'],
    ['', 10, 'whole'],
  ])('%j of %i bytes: %s', (value, size, expected) => {
    expect(select(value, size)).toBe(expected);
  });

  it.each([
    ['bytes=0-1, 4-5', '0-1,4-5'],
    ['bytes=4-5,0-1', '4-5,0-1'],
    ['bytes=,0-1,,4-5,', '0-1,4-5'],
    ['bytes=0-1,20-30', '0-1'],
    ['bytes=20-30,40-', 'unsatisfiable'],
    ['bytes=0-1,x', 'whole'],
    ['bytes=0-1,4-2', 'whole'],
    // Joined: section 15.3.7.
    ['bytes=0-4,2-6', '0-6'],
    ['bytes=0-1,2-3', '0-3'],
    ['bytes=8-9,0-1,3-4,1-3', '8-9,0-4'],
    ['bytes=0-,0-,0-', '0-9'],
    ['bytes=-1,0-0', '9-9,0-0'],
  ])('%s of 10 bytes: %s', (value, expected) => {
    expect(select(value, 10)).toBe(expected);
  });

  it('answers more than 32 ranges with the whole', () => {
    const ranges = (n: number) =>
      `bytes=${Array.from({ length: n }, (_, i) => `${2 * i}-${2 * i}`).join(',')}`;
    expect(selectRanges(ranges(32), 1000)).toMatchObject({
      kind: 'ranges',
      ranges: { length: 32 },
    });
    expect(select(ranges(33), 1000)).toBe('whole');
  });

  it('selects exactly the bytes asked for that exist, each once', () => {
    const bound = fc.nat(40);
    const specifier = fc.oneof(
      fc.tuple(bound, bound).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })),
      bound.map((first) => ({ first, last: undefined })),
      bound.map((suffix) => ({ suffix })),
    );
    fc.assert(
      fc.property(
        fc.array(specifier, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 30 }),
        (list, size) => {
          const text = list
            .map((s) => ('suffix' in s ? `-${s.suffix}` : `${s.first}-${s.last ?? ''}`))
            .join(',');
          const expected = new Set<number>();
          for (const s of list) {
            const [first, last] =
              'suffix' in s
                ? [Math.max(0, size - s.suffix), size - 1]
                : [s.first, s.last ?? size - 1];
            for (let i = first; i <= last && i < size; i += 1) expected.add(i);
          }
          const selection = selectRanges(`bytes=${text}`, size);
          if (selection.kind !== 'ranges') {
            expect(selection.kind).toBe('unsatisfiable');
            expect(expected.size).toBe(0);
            return;
          }
          const given = selection.ranges.flatMap(positions);
          expect(new Set(given)).toEqual(expected);
          expect(given.length).toBe(expected.size);
        },
      ),
    );
  });
});

describe('If-Range (RFC 9110 section 13.1.5)', () => {
  const old = { 'Last-Modified': date(-100), Date: date(0) };

  it.each([
    ['an equal strong tag', '"a"', { ETag: '"a"' }, true],
    ['another tag', '"b"', { ETag: '"a"' }, false],
    ['an equal weak tag', 'W/"a"', { ETag: 'W/"a"' }, false],
    ['a strong tag of a weak one', '"a"', { ETag: 'W/"a"' }, false],
    ['a weak tag of a strong one', 'W/"a"', { ETag: '"a"' }, false],
    ['a list of tags', '"a", "b"', { ETag: '"a"' }, false],
    ['a tag where there is none', '"a"', {}, false],
    ['the very Last-Modified', date(-100), old, true],
    ['a later date', date(-99), old, false],
    ['a date where there is none', date(-100), { Date: date(0) }, false],
    ['a Last-Modified of the second of Date', date(0), { ...old, 'Last-Modified': date(0) }, false],
    ['a Last-Modified of the second before', date(-1), { ...old, 'Last-Modified': date(-1) }, true],
    ['a Last-Modified without Date', date(-100), { 'Last-Modified': date(-100) }, false],
    ['a Last-Modified that is no date', 'x', { ...old, 'Last-Modified': 'x' }, false],
    ['nothing that can be read', '', { ETag: '"a"', ...old }, false],
  ] satisfies [string, string, Fields, boolean][])('%s', (_, value, headers, expected) => {
    expect(ifRangeMatches(value, raw(headers))).toBe(expected);
  });

  it('holds when it is absent', () => {
    expect(ifRangeMatches(undefined, [])).toBe(true);
  });
});

describe('Content-Range (RFC 9110 section 14.4)', () => {
  it.each([
    ['bytes 0-4/10', { first: 0, last: 4, size: 10 }],
    ['Bytes 9-9/10', { first: 9, last: 9, size: 10 }],
    ['bytes 0-4/*', { first: 0, last: 4, size: undefined }],
    ['bytes */10', undefined],
    ['bytes 0-10/10', undefined],
    ['bytes 4-0/10', undefined],
    ['bytes 0-4', undefined],
    ['bytes=0-4/10', undefined],
    ['bytes 0-4/x', undefined],
    ['bytes -4/10', undefined],
    ['bytes 0-9007199254740993/*', undefined],
    ['lines 0-4/10', undefined],
    ['', undefined],
  ])('%j is %j', (value, expected) => {
    expect(parseContentRange(value)).toEqual(expected);
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (first, more, rest) => {
        const range = { first, last: first + more };
        const size = range.last + 1 + rest;
        expect(parseContentRange(contentRange(range, size))).toEqual({ ...range, size });
      }),
    );
  });

  it('writes the unsatisfied form', () => {
    expect(unsatisfiedRange(10)).toBe('bytes */10');
  });
});

describe('range set', () => {
  const range = fc
    .tuple(fc.nat(60), fc.nat(12))
    .map(([first, more]): ByteRange => ({ first, last: first + more }));

  it('agrees with a plain set of positions in all it says', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 25 }), range, (added, probe) => {
        const set = new RangeSet();
        const naive = new Set<number>();
        for (const each of added) {
          set.add(each);
          for (const position of positions(each)) naive.add(position);
          expect(set.bytes).toBe(naive.size);
        }
        const runs = set.ranges();
        expect(runs.flatMap(positions)).toEqual([...naive].sort((a, b) => a - b));
        for (const [i, run] of runs.entries()) {
          const next = runs[i + 1];
          if (next) expect(next.first).toBeGreaterThan(run.last + 1);
        }
        const asked = positions(probe);
        expect(set.has(probe)).toBe(asked.every((position) => naive.has(position)));
        expect(set.missing(probe).flatMap(positions)).toEqual(asked.filter((p) => !naive.has(p)));
        let end = probe.first;
        while (naive.has(end)) end += 1;
        expect(set.runEnd(probe.first)).toBe(end);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves nothing missing once the gaps are added', () => {
    fc.assert(
      fc.property(fc.array(range), range, (added, within) => {
        const set = new RangeSet();
        for (const each of added) set.add(each);
        for (const gap of set.missing(within)) set.add(gap);
        expect(set.missing(within)).toEqual([]);
        expect(set.has(within)).toBe(true);
      }),
    );
  });

  it('grows in place when bytes arrive in order', () => {
    const set = new RangeSet();
    for (let first = 0; first < 1000; first += 10) set.add({ first, last: first + 9 });
    expect(set.ranges()).toEqual([{ first: 0, last: 999 }]);
    expect(set.runEnd(500)).toBe(1000);
  });

  it('gives out copies', () => {
    const set = new RangeSet();
    set.add({ first: 0, last: 1 });
    const before = set.ranges();
    set.add({ first: 5, last: 6 });
    expect(before).toEqual([{ first: 0, last: 1 }]);
  });

  it.each([
    [3, 2],
    [-1, 2],
    [0.5, 2],
    [0, Number.NaN],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses the bounds %d and %d', (first, last) => {
    const set = new RangeSet();
    expect(() => set.add({ first, last })).toThrow(RangeError);
    expect(set.bytes).toBe(0);
  });
});
