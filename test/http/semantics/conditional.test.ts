import {
  another,
  date,
  type Exchange,
  type Fields,
  notModified,
  ok,
  page,
  reply,
  rows,
} from './exchanges.ts';

const same = { status: 304, body: '' } as const;

/** What a stored response answers to conditions, without a word of the origin. */
function conditions(
  has: Fields,
  send: Fields,
  answer: '304' | '200',
  age = 10,
): readonly Exchange[] {
  return [
    { origin: page('max-age=60', has) },
    { after: age, send, ...(answer === '304' && { gets: same }) },
  ];
}

const strong = { ETag: '"1"' };
const weak = { ETag: 'W/"1"' };
const modified = { 'Last-Modified': date(-600) };
const noneMatch = (value: string | readonly string[]): Fields => ({ 'If-None-Match': value });
const since = (value: string): Fields => ({ 'If-Modified-Since': value });

rows('If-None-Match (RFC 9110 section 13.1.2)', {
  'the same tag': conditions(strong, noneMatch('"1"'), '304'),
  'another tag': conditions(strong, noneMatch('"2"'), '200'),
  'compares weakly: a weak tag and the strong one': conditions(strong, noneMatch('W/"1"'), '304'),
  'compares weakly: a strong tag and the weak one': conditions(weak, noneMatch('"1"'), '304'),
  'W in lower case is no mark of weakness': conditions(strong, noneMatch('w/"1"'), '200'),
  'one of a list': conditions(strong, noneMatch('"0", W/"1" ,"2"'), '304'),
  'one of several lines': conditions(strong, noneMatch(['"0"', '"1"']), '304'),
  'none of a list': conditions(strong, noneMatch('"0", "2"'), '200'),
  'a tag with a comma is one tag': conditions({ ETag: '"1,2"' }, noneMatch('"1,2"'), '304'),
  'a part of a tag with a comma is none': conditions({ ETag: '"1"' }, noneMatch('"0,"1"'), '200'),
  'tags are told apart by case': conditions({ ETag: '"a"' }, noneMatch('"A"'), '200'),
  '* is whatever is stored': conditions(strong, noneMatch('*'), '304'),
  '* also without a tag': conditions({}, noneMatch('*'), '304'),
  'a tag where the stored response has none': conditions({}, noneMatch('"1"'), '200'),
  'comes before If-Modified-Since (RFC 9110 section 13.2.2)': conditions(
    { ...strong, ...modified },
    { ...noneMatch('"2"'), ...since(date(0)) },
    '200',
  ),
  'holds for each kind of success (RFC 9110 section 13.2.1)': [
    { origin: reply(203, { 'Cache-Control': 'max-age=60', ...strong }) },
    { send: noneMatch('"1"'), gets: same },
  ],
  'is answered by what a validation confirms': [
    { origin: page('max-age=60', strong) },
    { after: 60, send: noneMatch('"1"'), origin: notModified(), gets: same },
    {},
  ],
  'is nothing to an error (RFC 9110 section 13.2.1)': [
    { origin: reply(404, { 'Cache-Control': 'max-age=60', ...strong }) },
    { send: noneMatch('"1"') },
  ],
  'is answered from what a miss brings': [
    { send: noneMatch('"1"'), origin: page('max-age=60', strong), gets: same },
    {},
  ],
  'is the client’s own, and reaches no origin on a miss': [
    {
      send: noneMatch('"0"'),
      origin: page('max-age=60', strong),
      asked: { 'if-none-match': undefined },
    },
  ],
  'is answered from what a validation brings': [
    { origin: page('max-age=60', strong) },
    {
      after: 60,
      send: noneMatch('"2"'),
      origin: page('max-age=60', { ETag: '"2"' }, 'two'),
      gets: same,
    },
    { gets: { body: 'two' } },
    { after: 60, origin: another },
  ],
  'is answered from what came for this client alone, too': [
    { origin: page('no-store', strong) },
    { send: noneMatch('"1"'), origin: page('no-store', strong), gets: same },
  ],
});

rows('If-Modified-Since (RFC 9110 section 13.1.3)', {
  'the very date': conditions(modified, since(date(-600)), '304'),
  'a later date': conditions(modified, since(date(-599)), '304'),
  'an earlier date': conditions(modified, since(date(-601)), '200'),
  'a date in another format': conditions(
    { 'Last-Modified': 'Sun, 06 Nov 1994 08:49:37 GMT' },
    since('Sunday, 06-Nov-94 08:49:37 GMT'),
    '304',
  ),
  'what is no date is ignored': conditions(modified, since('yesterday'), '200'),
  'without Last-Modified, against Date (RFC 9111 section 4.3.2)': conditions(
    {},
    since(date(0)),
    '304',
  ),
  'without Last-Modified, before Date': conditions({}, since(date(-1)), '200'),
});

rows('conditions that a cache does not judge (RFC 9111 section 4.3.2)', {
  'If-Match that holds is answered from what is stored': conditions(
    strong,
    { 'If-Match': '"1"' },
    '200',
  ),
  'If-Match that does not hold is the origin’s to answer': [
    { origin: page('max-age=60', strong) },
    {
      send: { 'If-Match': '"2"' },
      origin: reply(412, {}, 'no'),
      asked: { 'if-match': '"2"' },
    },
  ],
  'If-Match compares strongly (RFC 9110 section 13.1.1)': [
    { origin: page('max-age=60', weak) },
    { send: { 'If-Match': 'W/"1"' }, origin: reply(412, {}, 'no') },
  ],
  'If-Unmodified-Since that does not hold is the origin’s to answer': [
    { origin: page('max-age=60', modified) },
    {
      send: { 'If-Unmodified-Since': date(-601) },
      origin: reply(412, {}, 'no'),
      asked: { 'if-unmodified-since': date(-601) },
    },
  ],
});

rows('the fields of a 304 (RFC 9110 section 15.4.5)', {
  'are all that it must carry, byte for byte': [
    {
      origin: ok({
        Date: date(-3).toUpperCase(),
        ETag: 'W/"a b"',
        'Content-Location': 'http://example.com/a;v=1',
        Vary: 'X-A ,X-B',
        'Cache-Control': 'max-age = 1,  s-maxage=60',
        Expires: date(60).toLowerCase(),
      }),
    },
    {
      after: 4,
      send: noneMatch('W/"a b"'),
      gets: {
        ...same,
        fields: {
          date: date(-3).toUpperCase(),
          etag: 'W/"a b"',
          'content-location': 'http://example.com/a;v=1',
          vary: 'X-A ,X-B',
          'cache-control': 'max-age = 1,  s-maxage=60',
          expires: date(60).toLowerCase(),
          age: '7',
        },
      },
    },
  ],
  'describe no body that it does not have': [
    {
      origin: page('max-age=60', {
        ...strong,
        ...modified,
        'Content-Type': 'text/plain',
        'Content-Language': 'de',
        'Content-Encoding': 'x-own',
      }),
    },
    {
      send: noneMatch('"1"'),
      gets: {
        ...same,
        fields: {
          'content-type': undefined,
          'content-language': undefined,
          'content-encoding': undefined,
          'content-length': undefined,
          'transfer-encoding': undefined,
          'last-modified': undefined,
        },
      },
    },
  ],
  'hold Last-Modified where there is no tag': [
    { origin: page('max-age=60', modified) },
    { send: since(date(0)), gets: { ...same, fields: { 'last-modified': date(-600) } } },
  ],
  'keep what concerns neither': [
    { origin: page('max-age=60', { ...strong, 'X-A': 'b', Link: '</c>; rel=x' }) },
    {
      send: noneMatch('"1"'),
      gets: { ...same, fields: { 'x-a': 'b', link: '</c>; rel=x' } },
    },
  ],
});
