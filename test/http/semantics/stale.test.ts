import {
  date,
  type Exchange,
  type Expected,
  type Fields,
  notModified,
  page,
  reply,
  rows,
} from './exchanges.ts';

const tagged = { ETag: '"1"' };
const stored = (cacheControl: string, fields: Fields = {}): Exchange => ({
  origin: page(cacheControl, { ...tagged, ...fields }),
});

/** Served from what is stored, and said to be stale. */
const stale: Expected = { status: 200, body: 'one', fields: { 'cache-status': /detail=stale/ } };
/** An answer of our own, whole, that says what is wrong. RFC 9209. */
const unreachable: Expected = {
  status: 502,
  body: /connection_refused/,
  fields: {
    'proxy-status': /^millrace; error=connection_refused/,
    'cache-control': 'no-store',
    age: undefined,
    etag: undefined,
  },
};
const broken = reply(503, {}, 'broken');

/** The origin is out of reach when a response of 10 s is asked for that many seconds late. */
function outOfReach(cacheControl: string, late: number, gets: Expected, send: Fields = {}) {
  const rest = { after: 10 + late, origin: 'gone', send, gets } as const;
  return [stored(`max-age=10${cacheControl}`), rest];
}

/** The origin answers a 503 then. */
function failing(cacheControl: string, late: number, gets: Expected, send: Fields = {}) {
  const rest = { after: 10 + late, origin: broken, send, gets };
  return [stored(`max-age=10${cacheControl}`), rest];
}

const passedOn: Expected = { status: 503, body: 'broken' };

rows('an origin that is out of reach (RFC 9111 section 4.2.4)', {
  'is answered for with what is stale': outOfReach('', 100, stale),
  'within the mount’s window': outOfReach('', 86_399, stale),
  'not after it': outOfReach('', 86_400, unreachable),
  'within the window of the response (RFC 5861 section 4)': outOfReach(
    ', stale-if-error=60',
    59,
    stale,
  ),
  'not after that one': outOfReach(', stale-if-error=60', 60, unreachable),
  'must-revalidate forbids it: a complete 502 (RFC 9111 section 5.2.2.2)': outOfReach(
    ', must-revalidate',
    1,
    unreachable,
  ),
  'proxy-revalidate forbids it (RFC 9111 section 5.2.2.8)': outOfReach(
    ', proxy-revalidate',
    1,
    unreachable,
  ),
  's-maxage forbids it (RFC 9111 section 5.2.2.10)': outOfReach(', s-maxage=10', 1, unreachable),
  'no-cache forbids it (RFC 9111 section 5.2.2.4)': outOfReach(', no-cache', 1, unreachable),
  'must-revalidate is stronger than stale-if-error': outOfReach(
    ', must-revalidate, stale-if-error=60',
    1,
    unreachable,
  ),
  'the client’s no-cache forbids it (RFC 9111 section 5.2.1.4)': outOfReach('', 1, unreachable, {
    'Cache-Control': 'no-cache',
  }),
  'the client’s stale-if-error narrows it': outOfReach('', 30, unreachable, {
    'Cache-Control': 'stale-if-error=30',
  }),
  'the client’s stale-if-error allows as much': outOfReach('', 29, stale, {
    'Cache-Control': 'stale-if-error=30',
  }),
  'a client that wants it younger gets what is fresh': [
    stored('max-age=60'),
    { after: 30, origin: 'gone', send: { 'Cache-Control': 'max-age=10' } },
  ],
  'with nothing stored is a 502': [{ origin: 'gone', gets: unreachable }],
  'with another variant stored is a 502': [
    stored('max-age=10', { Vary: 'X-A' }),
    { after: 20, origin: 'gone', send: { 'X-A': '1' }, gets: unreachable },
  ],
  'HEAD too is answered for': [
    stored('max-age=10'),
    { after: 20, method: 'HEAD', origin: 'gone', gets: { ...stale, body: '' } },
  ],
  'a part too': [
    stored('max-age=10'),
    {
      after: 20,
      send: { Range: 'bytes=1-1' },
      origin: 'gone',
      gets: { status: 206, body: 'n', fields: { age: '20' } },
    },
  ],
  'a condition too': [
    stored('max-age=10'),
    {
      after: 20,
      send: { 'If-None-Match': '"1"' },
      origin: 'gone',
      gets: { status: 304, body: '', fields: { age: '20' } },
    },
  ],
});

rows(
  'an origin that says nothing',
  {
    'is answered for with what is stale': [
      stored('max-age=10'),
      { after: 20, origin: 'silent', gets: stale },
    ],
    'where must-revalidate forbids it: a complete 504 (RFC 9111 section 5.2.2.2)': [
      stored('max-age=10, must-revalidate'),
      {
        after: 20,
        origin: 'silent',
        gets: {
          status: 504,
          body: /http_response_timeout/,
          fields: { 'proxy-status': /^millrace; error=http_response_timeout/, age: undefined },
        },
      },
    ],
  },
  { timeouts: { connect: 5_000, firstByte: 500, idle: 500, floor: 500 } },
);

rows('an error in answer to a validation (RFC 9111 section 4.3.3)', {
  'gives way to what is stale': failing('', 1, stale),
  'the age goes on': failing('', 5, { ...stale, fields: { age: '15' } }),
  'within the window of the response (RFC 5861 section 4)': failing(
    ', stale-if-error=60',
    59,
    stale,
  ),
  'is passed on after it': failing(', stale-if-error=60', 60, passedOn),
  'is passed on where must-revalidate forbids stale': failing(', must-revalidate', 1, passedOn),
  'is passed on where proxy-revalidate does': failing(', proxy-revalidate', 1, passedOn),
  'is passed on where s-maxage does': failing(', s-maxage=10', 1, passedOn),
  'is passed on to a client that insists': failing('', 1, passedOn, {
    'Cache-Control': 'no-cache',
  }),
  'leaves what is stored to be confirmed': [
    ...failing('', 1, stale),
    {
      after: 3600,
      origin: notModified(),
      asked: { 'if-none-match': '"1"' },
      gets: { status: 200, body: 'one' },
    },
  ],
  'that is no error of RFC 5861 is the answer': [
    stored('max-age=10'),
    { after: 20, origin: reply(501, {}, 'never') },
  ],
  'of the client’s making is the answer': [
    stored('max-age=10'),
    { after: 20, origin: reply(403, {}, 'not for you') },
  ],
  'is no better stored: a stale 503 is not served for another': [
    { origin: reply(503, { 'Cache-Control': 'max-age=10' }, 'first') },
    { after: 20, origin: reply(503, {}, 'second') },
  ],
});

rows(
  'stale-if-error without the mount’s own window',
  {
    'only where the response says so (RFC 5861 section 4)': failing(
      ', stale-if-error=60',
      59,
      stale,
    ),
    'or the client does': failing('', 59, stale, { 'Cache-Control': 'stale-if-error=60' }),
    'and else not': failing('', 1, passedOn),
  },
  { staleIfError: 0 },
);

const behind = (reply: ReturnType<typeof page>): Exchange => ({
  origin: reply,
  behind: true,
  gets: { fields: { 'cache-status': /^millrace; hit; ttl=-?\d+; detail=stale$/ } },
});
const window = ', stale-while-revalidate=60';

rows('stale-while-revalidate (RFC 5861 section 3)', {
  'serves what is stale, and the new one afterwards': [
    stored(`max-age=10${window}`),
    { after: 69, ...behind(page('max-age=10', {}, 'two')), asked: { 'if-none-match': '"1"' } },
    { gets: { body: 'two' } },
  ],
  'serves what is stale, and what was confirmed afterwards': [
    stored(`max-age=10${window}`),
    { after: 30, ...behind(notModified()) },
    { after: 9, gets: { fields: { age: '9' } } },
  ],
  'not after the window': [
    stored(`max-age=10${window}`),
    { after: 70, origin: page('max-age=10', {}, 'two') },
  ],
  'not without a number': [
    stored('max-age=10, stale-while-revalidate'),
    { after: 11, origin: page('max-age=10', {}, 'two') },
  ],
  'must-revalidate forbids it': [
    stored(`max-age=10${window}, must-revalidate`),
    { after: 11, origin: page('max-age=10', {}, 'two') },
  ],
  's-maxage forbids it': [
    stored(`s-maxage=10${window}`),
    { after: 11, origin: page('max-age=10', {}, 'two') },
  ],
  'the client’s max-age goes first': [
    stored(`max-age=10${window}`),
    { after: 11, send: { 'Cache-Control': 'max-age=60' }, origin: page('max-age=10', {}, 'two') },
  ],
  'only-if-cached is content with it': [
    stored(`max-age=10${window}`),
    {
      after: 11,
      send: { 'Cache-Control': 'only-if-cached' },
      ...behind(page('max-age=10', {}, 'two')),
    },
  ],
  'by Expires and a targeted field': [
    { origin: page('no-store', { Expires: date(9), 'CDN-Cache-Control': `max-age=10${window}` }) },
    { after: 11, ...behind(page('max-age=10', {}, 'two')) },
  ],
});
