const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const month = months.join('|');
const time = '(\\d{2}):(\\d{2}):(\\d{2})';
const shortDay = '(?:mon|tue|wed|thu|fri|sat|sun)';
const longDay = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)';

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const imfFixdate = new RegExp(`^${shortDay}, (\\d{2}) (${month}) (\\d{4}) ${time} gmt$`, 'i');
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const rfc850 = new RegExp(`^${longDay}, (\\d{2})-(${month})-(\\d{2}) ${time} gmt$`, 'i');
/** `Sun Nov  6 08:49:37 1994` */
const asctime = new RegExp(`^${shortDay} (${month}) (\\d{2}| \\d) ${time} (\\d{4})$`, 'i');

/**
 * An HTTP-date as milliseconds since the epoch, or undefined for anything else. RFC 9110 section
 * 5.6.7: all three formats are read, names and zone in any case, GMT only; the day of the month must
 * exist, the day's name need not be the right one (it carries nothing).
 *
 * `reference` (milliseconds) settles the two-digit year of the RFC 850 format: a date more than 50
 * years after it is one of the past. Without a reference that format cannot be read.
 */
export function parseHttpDate(text: string, reference?: number): number | undefined {
  const imf = imfFixdate.exec(text);
  if (imf) {
    const [, day, name, year, h, m, s] = imf;
    return timestamp(Number(year), name, day, h, m, s);
  }
  const ansi = asctime.exec(text);
  if (ansi) {
    const [, name, day, h, m, s, year] = ansi;
    return timestamp(Number(year), name, day, h, m, s);
  }
  if (reference === undefined) return undefined;
  const old = rfc850.exec(text);
  if (!old) return undefined;
  const [, day, name, twoDigits, h, m, s] = old;
  const limit = new Date(reference);
  limit.setUTCFullYear(limit.getUTCFullYear() + 50);
  const century = Math.floor(limit.getUTCFullYear() / 100) * 100;
  const latest = timestamp(century + Number(twoDigits), name, day, h, m, s);
  if (latest !== undefined && latest <= limit.getTime()) return latest;
  return timestamp(century - 100 + Number(twoDigits), name, day, h, m, s);
}

/** The IMF-fixdate of a time in milliseconds since the epoch. RFC 9110 section 5.6.7. */
export function formatHttpDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString();
}

function timestamp(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
): number | undefined {
  const [d, h, m, s] = [Number(day), Number(hour), Number(minute), Number(second)];
  // A leap second is 60; it counts as the first second of the next minute.
  if (h > 23 || m > 59 || s > 60) return undefined;
  const index = months.indexOf((monthName ?? '').toLowerCase());
  if (d < 1 || d > daysOf(year, index)) return undefined;
  if (year > 99) return Date.UTC(year, index, d, h, m, s);
  // Date.UTC would take these years for 1900 to 1999.
  return new Date(0).setUTCFullYear(year, index, d) + ((h * 60 + m) * 60 + s) * 1000;
}

function daysOf(year: number, month: number): number {
  if (month !== 1) return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
