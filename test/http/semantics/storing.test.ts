import {
  another,
  date,
  type Exchange,
  type Fields,
  notModified,
  ok,
  page,
  type Reply,
  reply,
  rows,
} from './exchanges.ts';

const tagged = { ETag: '"1"' };

/** Stored, and fresh. */
function reused(origin: Reply, send: Fields = {}): readonly Exchange[] {
  return [{ origin, send }, { after: 1 }];
}

/** Stored, and never reused without the origin's word. */
function validated(origin: Reply): readonly Exchange[] {
  return [{ origin }, { after: 1, origin: notModified(), asked: { 'if-none-match': '"1"' } }];
}

/** Not stored: there is nothing to validate. */
function passedOn(origin: Reply, send: Fields = {}): readonly Exchange[] {
  return [
    { origin, send, gets: { fields: { 'cache-status': /^(?!.*stored)/ } } },
    { after: 1, origin: another, asked: { 'if-none-match': undefined } },
  ];
}

const fresh = 'max-age=60';
const explicit = { 'Cache-Control': fresh, ...tagged };

rows('any final status with explicit freshness is stored (RFC 9111 section 3)', {
  '200': reused(ok(explicit)),
  '201': reused(reply(201, explicit)),
  '203': reused(reply(203, explicit)),
  '204, without a body': reused(reply(204, explicit, '')),
  '299, which nobody knows': reused(reply(299, explicit)),
  '301': reused(reply(301, { ...explicit, Location: '/b' })),
  '302': reused(reply(302, { ...explicit, Location: '/b' })),
  '307': reused(reply(307, { ...explicit, Location: '/b' })),
  '400': reused(reply(400, explicit)),
  '403': reused(reply(403, explicit)),
  '404': reused(reply(404, explicit)),
  '410': reused(reply(410, explicit)),
  '418, which nobody knows': reused(reply(418, explicit)),
  '499, which nobody knows': reused(reply(499, explicit)),
  '500': reused(reply(500, explicit)),
  '503': reused(reply(503, explicit)),
  '599, which nobody knows': reused(reply(599, explicit)),
  'none without freshness where the status gives no heuristic': passedOn(
    reply(302, { ...tagged, 'Last-Modified': date(-600) }),
  ),
});

rows('what a response forbids', {
  'no-store (RFC 9111 section 5.2.2.5)': passedOn(page(`${fresh}, no-store`, tagged)),
  'no-store in any case': passedOn(page(`${fresh}, No-StOrE`, tagged)),
  'no-store with an argument that it does not have': passedOn(page(`${fresh}, no-store=x`, tagged)),
  'no-store behind a quote that is never closed': passedOn(
    page(`${fresh}, a="b, no-store`, tagged),
  ),
  'not no-store as a part of another name': reused(page(`${fresh}, no-storex`, tagged)),
  'private (RFC 9111 section 5.2.2.7)': passedOn(page(`${fresh}, private`, tagged)),
  'private with field names': passedOn(page(`${fresh}, private="X-A"`, tagged)),
  'no-cache: validated each time (RFC 9111 section 5.2.2.4)': validated(
    page(`${fresh}, no-cache`, tagged),
  ),
  'no-cache with field names': validated(page(`${fresh}, no-cache="X-A"`, tagged)),
  'no-cache beside s-maxage': validated(page('s-maxage=60, no-cache', tagged)),
  'max-age=0: validated each time': validated(page('max-age=0', tagged)),
  'Vary: * is not stored (RFC 9111 section 4.1)': passedOn(page(fresh, { ...tagged, Vary: '*' })),
  'Vary with * among names': passedOn(page(fresh, { ...tagged, Vary: 'Accept, *' })),
  'no-store in a targeted field alone (RFC 9213 section 2.2)': passedOn(
    page(fresh, { ...tagged, 'CDN-Cache-Control': 'no-store' }),
  ),
  'no-store in Cache-Control, but not in the targeted field': reused(
    page('no-store', { ...tagged, 'CDN-Cache-Control': fresh }),
  ),
});

rows('must-understand (RFC 9111 section 5.2.2.3)', {
  'overrides no-store for a status that is known': reused(
    page(`${fresh}, must-understand, no-store`, tagged),
  ),
  'keeps out a status that is not': passedOn(
    reply(299, { 'Cache-Control': `${fresh}, must-understand`, ...tagged }),
  ),
  'does not override private': passedOn(page(`${fresh}, must-understand, private`, tagged)),
});

const credentials = { Authorization: 'Basic eDp5' };

rows('a response to Authorization (RFC 9111 section 3.5)', {
  'is for its client alone': passedOn(page(fresh, tagged), credentials),
  'is so by Expires too': passedOn(ok({ Expires: date(60), ...tagged }), credentials),
  'is shared with public': reused(page(`${fresh}, public`, tagged), credentials),
  'is shared with must-revalidate': reused(page(`${fresh}, must-revalidate`, tagged), credentials),
  'is shared with s-maxage': reused(page('s-maxage=60', tagged), credentials),
  'is not shared with proxy-revalidate': passedOn(
    page(`${fresh}, proxy-revalidate`, tagged),
    credentials,
  ),
  'reaches who has it from what others stored': [
    { origin: page(fresh, tagged) },
    { send: credentials },
  ],
});

rows('what a request forbids', {
  'no-store (RFC 9111 section 5.2.1.5)': passedOn(page(fresh, tagged), {
    'Cache-Control': 'no-store',
  }),
  'no-store does not keep the client from what is stored': [
    { origin: page(fresh, tagged) },
    { send: { 'Cache-Control': 'no-store' } },
  ],
  'HEAD and what it brings are stored for nobody': [
    { method: 'HEAD', origin: page(fresh, tagged) },
    { origin: page(fresh, tagged) },
    {},
  ],
  'POST and what it brings are stored for no POST': [
    { method: 'POST', content: 'x', origin: page(fresh, tagged) },
    { method: 'POST', content: 'x', origin: page(fresh, tagged, 'two') },
  ],
  'the query is part of what is asked for': [
    { path: '/a?1', origin: page(fresh) },
    { path: '/a?2', origin: page(fresh, {}, 'two') },
    { path: '/a?1' },
    { path: '/a?2' },
  ],
});
