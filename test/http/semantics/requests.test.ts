import {
  another,
  type Exchange,
  type Expected,
  type Fields,
  notModified,
  page,
  rows,
} from './exchanges.ts';

const notCached: Expected = {
  status: 504,
  body: /not_cached/,
  fields: { 'proxy-status': /^millrace/, age: undefined },
};

/** A response of 60 s asked for so, once it has reached an age: reused, or the origin is asked. */
function asked(
  age: number,
  cacheControl: string,
  answer: 'reused' | 'asked',
  more = '',
): readonly Exchange[] {
  const first = { origin: page(`max-age=60${more}`, { ETag: '"1"' }) };
  const send: Fields = { 'Cache-Control': cacheControl };
  return [first, { after: age, send, ...(answer === 'asked' && { origin: another }) }];
}

rows('what a request asks of the cache', {
  'max-age: young enough (RFC 9111 section 5.2.1.1)': asked(30, 'max-age=30', 'reused'),
  'max-age: too old': asked(31, 'max-age=30', 'asked'),
  'max-age=0 asks the origin': asked(0, 'max-age=0', 'asked'),
  'max-age makes nothing fresh that is stale': asked(60, 'max-age=120', 'asked'),
  'a malformed max-age asks the origin': asked(30, 'max-age=x', 'asked'),
  'min-fresh: enough is left (RFC 9111 section 5.2.1.3)': asked(30, 'min-fresh=30', 'reused'),
  'min-fresh: too little is left': asked(31, 'min-fresh=30', 'asked'),
  'a malformed min-fresh asks the origin': asked(30, 'min-fresh=-1', 'asked'),
  'max-stale: stale, but not too much (RFC 9111 section 5.2.1.2)': asked(
    80,
    'max-stale=20',
    'reused',
  ),
  'max-stale: staler than that': asked(81, 'max-stale=20', 'asked'),
  'max-stale without a value takes any staleness': asked(86_400, 'max-stale', 'reused'),
  'a malformed max-stale takes none': asked(61, 'max-stale=x', 'asked'),
  'max-stale yields to must-revalidate (RFC 9111 section 5.2.2.2)': asked(
    61,
    'max-stale=20',
    'asked',
    ', must-revalidate',
  ),
  'max-stale yields to proxy-revalidate': asked(61, 'max-stale', 'asked', ', proxy-revalidate'),
  'max-stale yields to s-maxage': asked(61, 'max-stale', 'asked', ', s-maxage=60'),
  'max-age and max-stale: both hold': asked(80, 'max-age=80, max-stale=20', 'reused'),
  'max-age and max-stale: too old for the one': asked(80, 'max-age=79, max-stale=20', 'asked'),
  'no-cache asks the origin (RFC 9111 section 5.2.1.4)': asked(1, 'no-cache', 'asked'),
  'no-cache in any case': asked(1, 'No-CaChE', 'asked'),
  'nothing that is quoted in another directive': asked(1, 'a="no-cache, max-age=0"', 'reused'),
  'nothing that nobody knows': asked(1, 'wonder, no-cachex', 'reused'),
  'only-if-cached: from what is stored (RFC 9111 section 5.2.1.7)': asked(
    1,
    'only-if-cached',
    'reused',
  ),
  'only-if-cached and max-stale: from what is stale': asked(
    61,
    'only-if-cached, max-stale',
    'reused',
  ),
  'only-if-cached, and it is not there: 504': [
    { send: { 'Cache-Control': 'only-if-cached' }, gets: notCached },
  ],
  'only-if-cached, and it is stale: 504': [
    { origin: page('max-age=60') },
    { after: 60, send: { 'Cache-Control': 'only-if-cached' }, gets: notCached },
  ],
  'only-if-cached and no-cache: 504': [
    { origin: page('max-age=60') },
    { send: { 'Cache-Control': 'only-if-cached, no-cache' }, gets: notCached },
  ],
  'only-if-cached, and only another variant is there: 504': [
    { origin: page('max-age=60', { Vary: 'X-A' }) },
    { send: { 'Cache-Control': 'only-if-cached', 'X-A': '1' }, gets: notCached },
  ],
  'Pragma: no-cache without Cache-Control (RFC 9111 section 5.4)': [
    { origin: page('max-age=60') },
    { send: { Pragma: 'no-cache' }, origin: another },
  ],
  'Pragma beside Cache-Control is nothing': [
    { origin: page('max-age=60') },
    { send: { Pragma: 'no-cache', 'Cache-Control': 'max-stale=0' } },
  ],
  'what the origin confirms for no-cache is there for the next (RFC 9111 section 4.3.4)': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    {
      after: 30,
      send: { 'Cache-Control': 'no-cache' },
      origin: notModified(),
      asked: { 'if-none-match': '"1"' },
    },
    { after: 59 },
  ],
});

rows('HEAD (RFC 9110 section 9.3.2)', {
  'is answered from a stored GET, with its fields and no body': [
    { origin: page('max-age=60', { ETag: '"1"', 'X-A': 'b' }, 'hello') },
    {
      after: 7,
      method: 'HEAD',
      gets: { fields: { 'content-length': '5', etag: '"1"', 'x-a': 'b', age: '7' } },
    },
  ],
  'is forwarded where nothing is stored': [
    {
      method: 'HEAD',
      origin: page('max-age=60', {}, 'hello'),
      gets: { fields: { 'content-length': '5' } },
    },
  ],
  'that is not stored has the origin’s own 304': [
    {
      method: 'HEAD',
      send: { 'If-None-Match': '"1"' },
      origin: notModified({ ETag: '"1"' }),
      asked: { 'if-none-match': '"1"' },
      gets: { status: 304, fields: { etag: '"1"' } },
    },
  ],
  'of what is stale validates it for all': [
    { origin: page('max-age=60', { ETag: '"1"' }, 'hello') },
    {
      after: 60,
      method: 'HEAD',
      origin: notModified(),
      asked: { 'if-none-match': '"1"' },
      gets: { status: 200, fields: { 'content-length': '5' } },
    },
    { after: 59 },
  ],
  'of what has changed tells of the new one': [
    { origin: page('max-age=60', { ETag: '"1"' }, 'hello') },
    {
      after: 60,
      method: 'HEAD',
      origin: page('max-age=60', { ETag: '"2"' }, 'hi'),
      gets: { fields: { 'content-length': '2', etag: '"2"' } },
    },
    { gets: { body: 'hi' } },
  ],
  'is answered with a 304 where its condition says so': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    { method: 'HEAD', send: { 'If-None-Match': '"1"' }, gets: { status: 304 } },
  ],
  'has no ranges (RFC 9110 section 14.2)': [
    { origin: page('max-age=60', {}, 'hello') },
    {
      method: 'HEAD',
      send: { Range: 'bytes=0-1' },
      gets: { status: 200, fields: { 'content-length': '5', 'content-range': undefined } },
    },
  ],
});

rows('what a request says to one hop (RFC 9110 section 7.6.1)', {
  'goes no further, and all else does': [
    {
      send: {
        ...{ Connection: 'x-hop, TE', 'X-Hop': '1', TE: 'trailers', 'Keep-Alive': 'timeout=1' },
        ...{ 'Proxy-Authorization': 'Basic eDp5', 'Proxy-Connection': 'x' },
        ...{ 'X-A': '1', 'User-Agent': 'a/1 (b)', Accept: 'x/y;q=0.5', Via: '1.0 other' },
      },
      origin: page('max-age=60'),
      asked: {
        ...{ 'x-hop': undefined, te: undefined, 'keep-alive': undefined },
        ...{ 'proxy-authorization': undefined, 'proxy-connection': undefined },
        ...{ 'x-a': '1', 'user-agent': 'a/1 (b)', accept: 'x/y;q=0.5' },
      },
    },
  ],
});
