import {
  another,
  date,
  type Exchange,
  type Fields,
  notModified,
  ok,
  reply,
  rows,
} from './exchanges.ts';

/** A response with these fields is reused for so many seconds, and for none longer. */
function lasts(seconds: number, fields: Fields, status = 200): readonly Exchange[] {
  const first = { origin: reply(status, fields) };
  return seconds === 0
    ? [first, { origin: another }]
    : [first, { after: seconds - 1 }, { after: 1, origin: another }];
}

const cc = (...lines: readonly string[]): Fields => ({ 'Cache-Control': lines });

rows('where a lifetime comes from', {
  'max-age (RFC 9111 section 5.2.2.1)': lasts(60, cc('max-age=60')),
  's-maxage before max-age (RFC 9111 section 4.2.1)': lasts(60, cc('max-age=10, s-maxage=60')),
  's-maxage before max-age, where it is the shorter one': lasts(10, cc('max-age=60, s-maxage=10')),
  'max-age before Expires (RFC 9111 section 5.3)': lasts(60, {
    ...cc('max-age=60'),
    Expires: date(-10),
  }),
  'Expires minus Date (RFC 9111 section 4.2.1)': lasts(60, { Expires: date(60) }),
  'Expires against the Date that came with it, whatever our own clock says': lasts(90, {
    Date: date(3600),
    Expires: date(3690),
  }),
  'a tenth of the time since Last-Modified (RFC 9111 section 4.2.2)': lasts(60, {
    'Last-Modified': date(-600),
  }),
  'nothing at all: stale at once': lasts(0, {}),
  'no heuristic for a status that allows none (RFC 9110 section 15.1)': lasts(
    0,
    { 'Last-Modified': date(-600) },
    302,
  ),
  'a heuristic for any status that is public': lasts(
    60,
    { 'Last-Modified': date(-600), ...cc('public') },
    302,
  ),
  'CDN-Cache-Control before Cache-Control (RFC 9213 section 2.2)': lasts(60, {
    ...cc('max-age=10, s-maxage=20'),
    'CDN-Cache-Control': 'max-age=60',
  }),
  'Millrace-Cache-Control before CDN-Cache-Control': lasts(60, {
    'CDN-Cache-Control': 'max-age=10',
    'Millrace-Cache-Control': 'max-age=60',
  }),
  'Expires is not looked at beside a targeted field (RFC 9213 section 2.2)': lasts(0, {
    'CDN-Cache-Control': 'must-revalidate',
    Expires: date(60),
  }),
  'a targeted field that is no Dictionary is as good as absent (RFC 9213 section 2.1)': lasts(60, {
    ...cc('max-age=60'),
    'CDN-Cache-Control': 'max-age=10, ,',
  }),
  'an Expires of a status of its own making': lasts(60, { Expires: date(60) }, 299),
});

rows('values that are malformed or strange', {
  'a negative max-age is stale (RFC 9111 section 4.2.1)': lasts(0, cc('max-age=-60')),
  'a quoted max-age is stale': lasts(0, cc('max-age="60"')),
  'a fractional max-age is stale': lasts(0, cc('max-age=60.5')),
  'a max-age with letters is stale': lasts(0, cc('max-age=60a')),
  'a max-age in single quotes is stale': lasts(0, cc("max-age='60'")),
  'a max-age without a value is stale': lasts(0, cc('max-age')),
  'a max-age with a space before the value is stale': lasts(0, cc('max-age= 60')),
  'a max-age with leading zeros is what it says': lasts(60, cc('max-age=0060')),
  'a max-age beyond 2^31 is 2^31 (RFC 9111 section 1.2.2)': lasts(
    2 ** 31,
    cc('max-age=99999999999'),
  ),
  'a malformed max-age lets no Expires stand in': lasts(0, {
    ...cc('max-age=x'),
    Expires: date(60),
  }),
  'a malformed s-maxage lets no max-age stand in': lasts(0, cc('max-age=60, s-maxage=x')),
  'names of directives ignore case (RFC 9111 section 5.2)': lasts(60, cc('MaX-aGe=60')),
  'of repeated directives the first counts (RFC 9111 section 4.2.1)': lasts(
    60,
    cc('max-age=60, max-age=10'),
  ),
  'and on several lines too': lasts(10, cc('max-age=10', 'max-age=60')),
  'directives on several lines are one list (RFC 9110 section 5.3)': lasts(
    60,
    cc('public', 'max-age=60'),
  ),
  'empty members and odd white space are nothing': lasts(60, cc(' , ,max-age=60\t,')),
  'what stands in a quoted string is no directive': lasts(60, cc('a="b, max-age=10", max-age=60')),
  'nor is what stands behind an escaped quote in it': lasts(
    60,
    cc('a="b\\", no-store, c", max-age=60'),
  ),
  'unknown directives are ignored (RFC 9111 section 5.2.3)': lasts(60, cc('max-age=60, wonder=1')),
  'an unknown one that begins like a known one is another one': lasts(0, cc('max-age-new=60')),
  'Pragma in a response is nothing (RFC 9111 section 5.4)': lasts(60, {
    ...cc('max-age=60'),
    Pragma: 'no-cache',
  }),
});

rows('dates', {
  'an Expires of 0 is stale (RFC 9111 section 5.3)': lasts(0, { Expires: '0' }),
  'an Expires in words is stale': lasts(0, { Expires: 'tomorrow' }),
  'an Expires in another zone is stale': lasts(0, { Expires: date(60).replace('GMT', 'CET') }),
  'an Expires without a zone is stale': lasts(0, { Expires: date(60).replace(' GMT', '') }),
  'an Expires on a day that there is not is stale': lasts(0, {
    Expires: 'Tue, 31 Feb 2026 00:00:00 GMT',
  }),
  'an Expires with a single digit is stale': lasts(0, { Expires: 'Thu, 1 Jan 2026 00:01:00 GMT' }),
  'a repeated Expires is stale': lasts(0, { Expires: [date(60), date(60)] }),
  'an Expires in capitals is one (RFC 9110 section 5.6.7)': lasts(60, {
    Expires: date(60).toUpperCase(),
  }),
  'an Expires in the RFC 850 format': lasts(60, { Expires: 'Thursday, 01-Jan-26 00:01:00 GMT' }),
  'an Expires in the asctime format': lasts(60, { Expires: 'Thu Jan  1 00:01:00 2026' }),
  'an Expires with the wrong name of the day': lasts(60, {
    Expires: date(60).replace('Thu', 'Mon'),
  }),
  'an Expires 51 years ahead in two digits is long past': lasts(0, {
    Expires: 'Friday, 01-Jan-77 00:00:00 GMT',
  }),
  'an invalid Date gives way to the time of receipt (RFC 9110 section 6.6.1)': lasts(60, {
    Date: 'now',
    Expires: date(60),
  }),
  'a Last-Modified that is no date tells nothing': lasts(0, { 'Last-Modified': 'long ago' }),
  'a Last-Modified in the future tells nothing': lasts(0, { 'Last-Modified': date(600) }),
});

rows('Age', {
  'that came along counts (RFC 9111 section 4.2.3)': lasts(40, { ...cc('max-age=60'), Age: '20' }),
  'is counted on, from what came along': [
    { origin: ok({ ...cc('max-age=60'), Age: '20' }), gets: { fields: { age: '20' } } },
    { after: 15, gets: { fields: { age: '35' } } },
  ],
  'by a Date in the past counts as much': lasts(40, { ...cc('max-age=60'), Date: date(-20) }),
  'and a Date in the past: the larger of the two': lasts(30, {
    ...cc('max-age=60'),
    Date: date(-20),
    Age: '30',
  }),
  'by a Date in the future is none': lasts(60, { ...cc('max-age=60'), Date: date(20) }),
  'on two lines: the first (RFC 9111 section 5.1)': lasts(50, {
    ...cc('max-age=60'),
    Age: ['10', '50'],
  }),
  'in a list: the first member': lasts(50, { ...cc('max-age=60'), Age: '10, 50' }),
  'that is negative is ignored': lasts(60, { ...cc('max-age=60'), Age: '-10' }),
  'that is fractional is ignored': lasts(60, { ...cc('max-age=60'), Age: '10.5' }),
  'that is a word is ignored': lasts(60, { ...cc('max-age=60'), Age: 'ten' }),
  'that is empty is ignored': lasts(60, { ...cc('max-age=60'), Age: '' }),
  'beyond 2^31 is very old': lasts(0, { ...cc('max-age=2147483648'), Age: '9999999999' }),
  'counts the time that the response took (RFC 9111 section 4.2.3)': [
    {
      origin: { ...ok({ ...cc('max-age=60'), Age: '20' }), delay: 7 },
      gets: { fields: { age: '27' } },
    },
    { after: 5, gets: { fields: { age: '32' } } },
    { after: 28, origin: another },
  ],
  'counts that without an Age, too': [
    { origin: { ...ok(cc('max-age=60')), delay: 7 } },
    { after: 52, gets: { fields: { age: '59' } } },
    { after: 1, origin: another },
  ],
  'starts anew with a validation (RFC 9111 section 4.3.4)': [
    { origin: ok({ ...cc('max-age=60'), ETag: '"1"' }) },
    { after: 60, origin: notModified() },
    { after: 59, gets: { fields: { age: '59' } } },
    { after: 1, origin: another },
  ],
});
