import {
  another,
  date,
  type Exchange,
  type Expected,
  type Fields,
  notModified,
  page,
  reply,
  rows,
} from './exchanges.ts';

const modified = { 'Last-Modified': date(-600) };
const confirmed: Expected = { fields: { 'cache-status': /fwd-status=304/ } };

/** A stored response that is validated after its 60 s: with what, and what becomes of it. */
function validating(
  fields: Fields,
  asked: Readonly<Record<string, string | undefined>>,
): readonly Exchange[] {
  return [
    { origin: page('max-age=60', fields) },
    { after: 60, origin: notModified(fields), asked, gets: confirmed },
    { after: 59 },
  ];
}

rows('a validation is asked with (RFC 9111 section 4.3.1)', {
  'the strong tag': validating({ ETag: '"1"' }, { 'if-none-match': '"1"' }),
  'the weak tag': validating({ ETag: 'W/"1"' }, { 'if-none-match': 'W/"1"' }),
  'an empty tag': validating({ ETag: '""' }, { 'if-none-match': '""' }),
  'a tag of strange bytes': validating({ ETag: '"\xe9 ,\\"' }, { 'if-none-match': '"\xe9 ,\\"' }),
  'a tag without quotes, as it came': validating({ ETag: '1' }, { 'if-none-match': '1' }),
  'Last-Modified': validating(modified, {
    'if-none-match': undefined,
    'if-modified-since': date(-600),
  }),
  'Last-Modified in its own spelling': validating(
    { 'Last-Modified': 'sunday, 06-nov-94 08:49:37 GMT' },
    { 'if-modified-since': 'sunday, 06-nov-94 08:49:37 GMT' },
  ),
  both: validating(
    { ETag: '"1"', ...modified },
    { 'if-none-match': '"1"', 'if-modified-since': date(-600) },
  ),
  'nothing where there is no validator': [
    { origin: page('max-age=60') },
    {
      after: 60,
      origin: page('max-age=60', {}, 'two'),
      asked: { 'if-none-match': undefined, 'if-modified-since': undefined },
    },
    { after: 59 },
  ],
  'nothing where there are two tags: nobody knows which one is meant': [
    { origin: page('max-age=60', { ETag: ['"1"', '"2"'] }) },
    { after: 60, origin: another, asked: { 'if-none-match': undefined } },
  ],
  'not the client’s own conditions': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    {
      after: 60,
      send: { 'If-None-Match': '"0"', 'If-Modified-Since': date(0) },
      origin: notModified(),
      asked: { 'if-none-match': '"1"', 'if-modified-since': undefined },
    },
  ],
});

/** A 304 with these fields for a stored response; what the client gets from then on. */
function updating(
  stored: Fields,
  fields: Fields,
  gets: Expected['fields'] = {},
): readonly Exchange[] {
  return [
    { origin: page('max-age=60', { ETag: '"1"', ...stored }) },
    { after: 60, origin: notModified(fields), gets: { fields: gets } },
    { gets: { fields: gets } },
  ];
}

rows('a 304 updates what is stored (RFC 9111 sections 3.2 and 4.3.4)', {
  'a field that it has': updating({ 'X-A': 'old' }, { 'X-A': 'new' }, { 'x-a': 'new' }),
  'a field that is new': updating({}, { 'X-A': 'new' }, { 'x-a': 'new' }),
  'not a field that it has not': updating({ 'X-A': 'old' }, {}, { 'x-a': 'old' }),
  'several lines take the place of several': updating(
    { 'X-A': ['1', '2', '3'] },
    { 'x-a': ['4', '5'] },
    { 'x-a': '4, 5' },
  ),
  Date: updating({}, { Date: date(59) }, { date: date(59) }),
  Expires: updating({}, { Expires: date(99) }, { expires: date(99) }),
  'Set-Cookie': updating({ 'Set-Cookie': 'a=1' }, { 'Set-Cookie': 'a=2' }, { 'set-cookie': 'a=2' }),
  'Content-Type, which describes all alike': updating(
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'text/html' },
    { 'content-type': 'text/html' },
  ),
  'never Content-Length': updating({}, { 'Content-Length': '0' }, { 'content-length': '3' }),
  'never Content-Encoding': updating(
    { 'Content-Encoding': 'x-own' },
    { 'Content-Encoding': 'gzip' },
    { 'content-encoding': 'x-own' },
  ),
  'never Content-Range': updating(
    {},
    { 'Content-Range': 'bytes 0-1/3' },
    { 'content-range': undefined },
  ),
  'never a digest of the content': updating(
    { 'Repr-Digest': 'sha-256=:AA==:', 'Content-MD5': 'AA==' },
    { 'Repr-Digest': 'sha-256=:BB==:', 'Content-MD5': 'BB==' },
    { 'repr-digest': 'sha-256=:AA==:', 'content-md5': 'AA==' },
  ),
  'never a field of one hop': updating(
    {},
    { Connection: 'X-A', 'X-A': 'hop', 'Proxy-Authenticate': 'Basic' },
    { 'x-a': undefined, 'proxy-authenticate': undefined },
  ),
  'with a longer lifetime': [
    ...updating({}, { 'Cache-Control': 'max-age=600' }),
    { after: 599 },
    { after: 1, origin: another },
  ],
  'with a shorter one': [
    ...updating({}, { 'Cache-Control': 'max-age=10' }),
    { after: 10, origin: another },
  ],
});

/** A 304 that is about something else: the whole is asked for without conditions. */
function refused(stored: Fields, fields: Fields): readonly Exchange[] {
  return [
    { origin: page('max-age=60', stored) },
    { after: 60, origin: [notModified(fields), page('max-age=60', {}, 'two')] },
    {},
  ];
}

rows('which 304 is about what is stored (RFC 9111 section 4.3.4)', {
  'one without a validator': validating({ ETag: '"1"' }, {}),
  'one with a different strong tag is not': refused({ ETag: '"1"' }, { ETag: '"2"' }),
  'one with a different weak tag is not': refused({ ETag: 'W/"1"' }, { ETag: 'W/"2"' }),
  'one with a tag where none was sent is not': refused(modified, { ETag: '"2"' }),
  'one with another date is not': refused(modified, { 'Last-Modified': date(-300) }),
  'one with another strong tag and the same date is not': refused(
    { ETag: '"1"', ...modified },
    { ETag: '"2"', ...modified },
  ),
});

const malformed = {
  status: 502,
  fields: { 'proxy-status': /^millrace; error=http_protocol_error/ },
};

rows('what else answers a validation', {
  'a 304 that nobody asked for is no answer': [
    { origin: notModified(), gets: { ...malformed, body: /304/ } },
    { origin: another },
  ],
  'a part that nobody asked for is no answer': [
    {
      origin: reply(206, { 'Content-Range': 'bytes 0-2/10' }),
      gets: { ...malformed, body: /206/ },
    },
    { origin: another },
  ],
  'one for credentials is of use to all where it may be shared': [
    { origin: page('max-age=60, public', { ETag: '"1"' }) },
    {
      after: 60,
      send: { Authorization: 'x' },
      origin: notModified(),
      asked: { authorization: 'x', 'if-none-match': '"1"' },
    },
    { after: 59 },
  ],
  'and where it may not be, it is not': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    { after: 60, send: { Authorization: 'x' }, origin: page('max-age=60', {}, 'mine') },
    { origin: another },
  ],
  'a 304 with no-store: what is stored is kept no more, and the whole asked for': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    { after: 60, origin: [notModified({ 'Cache-Control': 'no-store' }), another] },
    { origin: another, asked: { 'if-none-match': undefined } },
  ],
  'a 200 takes the place of what is stored (RFC 9111 section 4.3.3)': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    { after: 60, origin: page('max-age=60', { ETag: '"2"' }, 'two') },
    { after: 59 },
    { after: 1, origin: notModified(), asked: { 'if-none-match': '"2"' }, gets: confirmed },
  ],
  'a 200 that may not be stored is for this client alone': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    { after: 60, origin: page('no-store', { ETag: '"2"' }, 'two') },
    { origin: page('no-store', {}, 'three') },
  ],
  'a 404 is the answer': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    { after: 60, origin: reply(404, { 'Cache-Control': 'max-age=10' }, 'gone') },
    { after: 9 },
    { after: 1, origin: another },
  ],
  'a 302 is the answer': [
    { origin: page('max-age=60', { ETag: '"1"' }) },
    { after: 60, origin: reply(302, { Location: 'http://example.com/' }, '') },
  ],
});
