import { date, type Exchange, type Expected, type Fields, page, rows } from './exchanges.ts';

const body = '0123456789';
const has: Fields = { ETag: '"1"', 'Content-Type': 'text/plain' };

/** What a stored response of ten bytes answers to a `Range`, without a word of the origin. */
function ranges(
  range: string,
  gets: Expected,
  more: Fields = {},
  fields: Fields = {},
): readonly Exchange[] {
  return [
    { origin: page('max-age=60', { ...has, ...fields }, body) },
    { after: 10, send: { Range: range, ...more }, gets },
  ];
}

const whole: Expected = {
  status: 200,
  body,
  fields: { 'content-range': undefined, 'content-length': '10' },
};
const unsatisfiable: Expected = {
  status: 416,
  body: '',
  fields: { 'content-range': 'bytes */10', 'content-length': '0' },
};

function part(first: number, last: number): Expected {
  const bytes = body.slice(first, last + 1);
  return {
    status: 206,
    body: bytes,
    fields: {
      'content-range': `bytes ${first}-${last}/10`,
      'content-length': String(bytes.length),
      'content-type': 'text/plain',
      etag: '"1"',
      age: '10',
    },
  };
}

/** The parts of a multipart body, in this order. RFC 9110 section 15.3.7.2. */
function parts(...wanted: readonly (readonly [first: number, last: number])[]): Expected {
  const bodies = wanted.map(
    ([first, last]) =>
      `--\\w+\\r\\nContent-Type: text/plain\\r\\nContent-Range: bytes ${first}-${last}/10\\r\\n\\r\\n` +
      `${body.slice(first, last + 1)}\\r\\n`,
  );
  return {
    status: 206,
    body: new RegExp(`^${bodies.join('')}--\\w+--\\r\\n$`, 'i'),
    fields: { 'content-type': /^multipart\/byteranges; boundary=/, 'content-range': undefined },
  };
}

rows('one range of a stored response (RFC 9110 section 14.1.2)', {
  'a-b': ranges('bytes=2-4', part(2, 4)),
  'a-: to the end': ranges('bytes=7-', part(7, 9)),
  '-n: the last n': ranges('bytes=-3', part(7, 9)),
  'the first byte': ranges('bytes=0-0', part(0, 0)),
  'the last byte': ranges('bytes=-1', part(9, 9)),
  'beyond the end: what is there of it': ranges('bytes=8-100', part(8, 9)),
  'beyond 2^64: what is there of it': ranges('bytes=8-99999999999999999999', part(8, 9)),
  'a suffix longer than the whole: the whole as a part': ranges('bytes=-100', part(0, 9)),
  'the unit in any case': ranges('Bytes=2-4', part(2, 4)),
  'that begins behind the end: 416 (RFC 9110 section 15.5.17)': ranges('bytes=10-', unsatisfiable),
  'of the last none: 416': ranges('bytes=-0', unsatisfiable),
  'in an unknown unit: the whole (RFC 9110 section 14.2)': ranges('lines=1-2', whole),
  'backwards: the whole': ranges('bytes=4-2', whole),
  'malformed: the whole': ranges('bytes=a-b', whole),
  'of nothing: the whole': ranges('bytes=', whole),
  'of a dash: the whole': ranges('bytes=-', whole),
  'of a miss, from one fetch of the whole': [
    {
      send: { Range: 'bytes=2-4' },
      origin: page('max-age=60', has, body),
      asked: { range: undefined },
      gets: { status: 206, body: '234', fields: { 'content-range': 'bytes 2-4/10' } },
    },
    { gets: { body } },
  ],
  'of what is validated for it': [
    { origin: page('max-age=60', has, body) },
    {
      after: 60,
      send: { Range: 'bytes=2-4' },
      origin: page('max-age=60', { ETag: '"2"' }, 'abcdefghij'),
      asked: { range: undefined, 'if-none-match': '"1"' },
      gets: { status: 206, body: 'cde', fields: { etag: '"2"' } },
    },
  ],
});

rows('several ranges (RFC 9110 section 14.6)', {
  'come as multipart/byteranges, in the order asked for': ranges(
    'bytes=7-8, 0-1',
    parts([7, 8], [0, 1]),
  ),
  'with a suffix and an open end': ranges('bytes=0-1,-2,4-5', parts([0, 1], [8, 9], [4, 5])),
  'that touch are one': ranges('bytes=0-1,2-3', part(0, 3)),
  'that overlap are one': ranges('bytes=0-5,3-7', part(0, 7)),
  'of which one is there are that one': ranges('bytes=2-3,20-30', part(2, 3)),
  'of which none is there: 416': ranges('bytes=20-30,40-', unsatisfiable),
  'of which one is malformed: the whole': ranges('bytes=0-1,x', whole),
});

rows('If-Range (RFC 9110 section 13.1.5)', {
  'the same strong tag: the part': ranges('bytes=2-4', part(2, 4), { 'If-Range': '"1"' }),
  'another tag: the whole': ranges('bytes=2-4', whole, { 'If-Range': '"2"' }),
  'a weak tag: the whole': ranges('bytes=2-4', whole, { 'If-Range': 'W/"1"' }, { ETag: 'W/"1"' }),
  'the very Last-Modified: the part': ranges(
    'bytes=2-4',
    part(2, 4),
    { 'If-Range': date(-600) },
    { 'Last-Modified': date(-600) },
  ),
  'a later date than Last-Modified: the whole': ranges(
    'bytes=2-4',
    whole,
    { 'If-Range': date(-599) },
    { 'Last-Modified': date(-600) },
  ),
  'a Last-Modified that may still change: the whole (RFC 9110 section 8.8.2.2)': ranges(
    'bytes=2-4',
    whole,
    { 'If-Range': date(0) },
    { 'Last-Modified': date(0) },
  ),
  'without Range is nothing': [
    { origin: page('max-age=60', has, body) },
    { send: { 'If-Range': '"2"' } },
  ],
  'comes after If-None-Match (RFC 9110 section 13.2.2)': ranges(
    'bytes=2-4',
    { status: 304, body: '' },
    { 'If-None-Match': '"1"', 'If-Range': '"1"' },
  ),
});
