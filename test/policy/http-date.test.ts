import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatHttpDate, parseHttpDate } from '../../src/policy/http-date.ts';

const example = Date.UTC(1994, 10, 6, 8, 49, 37);
const reference = Date.UTC(2026, 0, 1);

describe('RFC 9110 section 5.6.7: the three formats', () => {
  it.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'SUN, 06 NOV 1994 08:49:37 gmt',
    'sunday, 06-nov-94 08:49:37 Gmt',
    'sun nov  6 08:49:37 1994',
  ])('reads %s', (text) => {
    expect(parseHttpDate(text, reference)).toBe(example);
  });

  it.each([
    '0',
    '-1',
    '',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun 06 Nov 1994 08:49:37 GMT',
    'Sun, 06  Nov  1994 08:49:37 GMT',
    'Sun, 06-Nov-1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08.49.37 GMT',
    'Sun, 06 Nov 1994 8:49:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Foo, 06 Nov 1994 08:49:37 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06-Nov-94 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
    '1994-11-06T08:49:37Z',
  ])('refuses %j', (text) => {
    expect(parseHttpDate(text, reference)).toBeUndefined();
  });

  it('takes a leap second for the first second of the next minute', () => {
    expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT')).toBe(Date.UTC(2017, 0, 1));
  });

  it('knows the leap day of leap years only', () => {
    expect(parseHttpDate('Thu, 29 Feb 2024 00:00:00 GMT')).toBe(Date.UTC(2024, 1, 29));
    expect(parseHttpDate('Wed, 29 Feb 2023 00:00:00 GMT')).toBeUndefined();
    expect(parseHttpDate('Tue, 29 Feb 2000 00:00:00 GMT')).toBe(Date.UTC(2000, 1, 29));
    expect(parseHttpDate('Thu, 29 Feb 1900 00:00:00 GMT')).toBeUndefined();
  });

  it('knows the days of each month', () => {
    const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (const [index, length] of lengths.entries()) {
      const month = formatHttpDate(Date.UTC(2026, index, 1)).slice(8, 11);
      const read = (day: string) => parseHttpDate(`Mon, ${day} ${month} 2026 01:02:03 GMT`);
      expect(read(String(length)), month).toBe(Date.UTC(2026, index, length, 1, 2, 3));
      expect(read(String(length + 1)), month).toBeUndefined();
      expect(read('00'), month).toBeUndefined();
    }
  });

  it('does not take a four-digit year below 100 for one of the 20th century', () => {
    expect(parseHttpDate('Thu, 01 Jan 0050 00:00:00 GMT')).toBeLessThan(Date.UTC(1000, 0, 1));
  });
});

describe('RFC 9110 section 5.6.7: two-digit years', () => {
  it.each([
    ['Thursday, 01-Jan-76 00:00:00 GMT', 2076],
    ['Thursday, 02-Jan-76 00:00:00 GMT', 1976],
    ['Thursday, 01-Jan-75 00:00:00 GMT', 2075],
    ['Thursday, 01-Jan-99 00:00:00 GMT', 1999],
    ['Thursday, 01-Jan-00 00:00:00 GMT', 2000],
  ])('%s, seen from the first of January 2026, is of %i', (text, year) => {
    expect(new Date(parseHttpDate(text, reference) ?? Number.NaN).getUTCFullYear()).toBe(year);
  });

  it('looks into the next century when that is within 50 years', () => {
    const parsed = parseHttpDate('Monday, 01-Jan-05 00:00:00 GMT', Date.UTC(1999, 0, 1));
    expect(parsed).toBe(Date.UTC(2005, 0, 1));
  });

  it('cannot be read without a reference', () => {
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')).toBeUndefined();
  });
});

describe('round trip', () => {
  const seconds = fc.integer({ min: 0, max: 250_000_000_000 }).map((value) => value * 1000);

  it('reads back every whole second that it writes', () => {
    fc.assert(fc.property(seconds, (time) => parseHttpDate(formatHttpDate(time)) === time));
  });

  it('reads an RFC 850 date within 50 years of the reference as that very date', () => {
    const year = 365 * 24 * 60 * 60 * 1000;
    const near = fc.integer({ min: -49 * year, max: 49 * year });
    const days = ['Sun', 'Mon', 'Tues', 'Wednes', 'Thurs', 'Fri', 'Satur'];
    fc.assert(
      fc.property(near, (offset) => {
        const time = Math.floor((reference + offset) / 1000) * 1000;
        const [, day, month, full, clock] = formatHttpDate(time).split(' ');
        const name = `${days[new Date(time).getUTCDay()]}day`;
        const text = `${name}, ${day}-${month}-${full?.slice(2)} ${clock} GMT`;
        return parseHttpDate(text, reference) === time;
      }),
    );
  });

  it('never throws and never gives NaN', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const time = parseHttpDate(text, reference);
        return time === undefined || Number.isInteger(time);
      }),
    );
  });
});
