import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RawHeaders } from '../../../src/core/raw-headers.ts';
import { overSurfaces } from '../../gateway/surfaces.ts';
import { FakeClock } from '../../support/clock.ts';
import { untilSettled } from '../../support/settled.ts';
import { date, page, rows } from './exchanges.ts';

/** What the gateway adds to each answer, or counts anew. */
const ours = ['Age', 'Via', 'Cache-Status', 'Server-Timing', 'Content-Length'];
/** What Node adds for this hop. */
const ofThisHop = ['Connection', 'Keep-Alive'];

// Node writes a head that goes out with a string in that string's encoding.
const hello = Buffer.from('hello');

const fields: Readonly<Record<string, RawHeaders>> = {
  'order and duplicates (RFC 9110 section 5.3)': [
    ...['X-B', '1', 'X-A', '2', 'X-B', '3', 'Link', '</a>; rel=x', 'Link', '</b>; rel=y'],
    ...['X-A', '4', 'Warning', '110 - "Response is Stale"', 'Warning', '112 - "Heuristic"'],
  ],
  'names in their case': ['x-lower', '1', 'X-UPPER', '2', 'x-MiXeD', '3', 'etag', '"a"'],
  'bytes of no character set (RFC 9110 section 5.5)': ['X-A', 'caf\xe9 \x80\xff', 'ETag', '"\xfc"'],
  'white space inside values': ['X-A', 'a \t  b', 'Vary', 'x-a ,\tX-B', 'X-Empty', ''],
  'cookies, each on its line (RFC 6265 section 3)': [
    ...['Set-Cookie', 'a=1; Path=/', 'Set-Cookie', 'b=2, c', 'Set-Cookie', 'a=3'],
  ],
  'dates as they were written (RFC 9110 section 6.6.1)': [
    ...['Expires', 'thu, 01 JAN 2026 01:00:00 GMT', 'Last-Modified', 'Sun Nov  6 08:49:37 1994'],
  ],
  'what nobody knows or uses any more': [
    ...[
      'Content-Type',
      'x/y; a="b,c"',
      'Pragma',
      'no-cache',
      'Server',
      'x',
      'Accept-Ranges',
      'none',
    ],
    ...['Content-Encoding', 'x-own', 'Repr-Digest', 'sha-256=:AA==:', 'Proxy-Status', 'x; error=y'],
    ...['Cache-Control', 'a="b, no-store"', 'Cache-Control', 'MAX-AGE=60 , x'],
  ],
};

const token = "!#$%&'*+-.^_`|~";
/** RFC 9110 section 5.1: any token; nobody knows those that begin so. */
const fieldName = fc
  .string({ unit: fc.constantFrom(...token, ...'aZ09'), maxLength: 8 })
  .map((name) => `X-${name}`);
/** RFC 9110 section 5.5: what is visible and what is of no character set; space only inside. */
const fieldContent = fc
  .string({ unit: fc.constantFrom(...'aZ09 \t,;="\\()<>@:/[]?{}', '\x7e', '\x80', '\xff') })
  .map((content) => content.trim());

overSurfaces('every end-to-end field is kept byte for byte (RFC 9111 section 3.1)', (setup) => {
  test.each(Object.entries(fields))('%s', async (_what, given) => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    const explicit = given.includes('Cache-Control') ? [] : ['cache-control', 'max-age=60'];
    const sent = ['Date', date(0).toUpperCase(), ...given, ...explicit];
    origin.handle('/a', (_request, response) => {
      response.sendDate = false;
      response.writeHead(200, [...sent, 'Content-Length', '5']).end(hello);
    });
    const seen: RawHeaders[] = [];
    for (const after of [0, 10]) {
      clock.advance(after * 1000);
      const answer = await gateway.get(at('/a'));
      expect(answer.body.toString()).toBe('hello');
      seen.push(without(answer.headers, [...ours, ...ofThisHop]));
      await untilSettled(gateway);
    }
    expect(seen).toEqual([sent, sent]);
    expect(origin.requests).toHaveLength(1);
  });

  test('whatever its name and its bytes', async () => {
    const { origin, gateway, at } = await setup();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fieldName, fieldContent), { maxLength: 12 }),
        async (some) => {
          run += 1;
          const sent = [...some.flat(), 'Date', date(0), 'Cache-Control', 's-maxage=999999999'];
          origin.handle(`/${run}`, (_request, response) => {
            response.sendDate = false;
            response.writeHead(200, [...sent, 'Content-Length', '5']).end(hello);
          });
          for (let i = 0; i < 2; i++) {
            const answer = await gateway.get(at(`/${run}`));
            expect(without(answer.headers, [...ours, ...ofThisHop])).toEqual(sent);
            await untilSettled(gateway);
          }
          expect(origin.requests.filter(({ target }) => target === `/${run}`)).toHaveLength(1);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('but not those of one hop, and those that Connection lists (RFC 9110 section 7.6.1)', async () => {
    const { origin, gateway, at } = await setup();
    const kept = ['X-A', '1', 'Date', date(0), 'Cache-Control', 's-maxage=999999999'];
    origin.handle('/a', (_request, response) => {
      response.sendDate = false;
      response.writeHead(200, [
        ...['X-Hop', '1', 'Connection', 'x-hop, X-OTHER', 'x-other', '2', ...kept],
        ...['Keep-Alive', 'timeout=5', 'Proxy-Connection', 'x', 'Proxy-Authenticate', 'Basic'],
        ...['Proxy-Authentication-Info', 'x', 'Upgrade', 'x/1', 'TE', 'x', 'Trailer', 'X-T'],
        ...['Transfer-Encoding', 'chunked'],
      ]);
      response.end(hello);
    });
    for (let i = 0; i < 2; i++) {
      const answer = await gateway.get(at('/a'));
      expect(answer.body.toString()).toBe('hello');
      const hop = [...ofThisHop, 'Transfer-Encoding'];
      expect(without(answer.headers, [...ours, ...hop])).toEqual(kept);
      expect(answer.field('keep-alive')).not.toBe('timeout=5');
      await untilSettled(gateway);
    }
    expect(origin.requests).toHaveLength(1);
  });
});

function without(headers: RawHeaders, names: readonly string[]): RawHeaders {
  return headers.filter((_, i) => !names.includes(headers[i - (i % 2)] ?? ''));
}

const dated = { fields: { date: date(0) } };
const undated = { Date: [] };

rows('what comes without Date has that of its receipt (RFC 9110 section 6.6.1)', {
  'on a miss and on a hit': [
    { origin: page('max-age=60', undated), gets: dated },
    { after: 5, gets: dated },
  ],
  'where it is not stored': [{ origin: page('no-store', undated), gets: dated }],
  'where it answers HEAD': [{ method: 'HEAD', origin: page('max-age=60', undated), gets: dated }],
  'where it passes through': [
    { method: 'POST', content: 'x', origin: page('max-age=60', undated), gets: dated },
  ],
  'and our own answers have one: 416': [
    { origin: page('max-age=60', { Date: date(-5) }) },
    { send: { Range: 'bytes=10-' }, gets: { status: 416, body: '', ...dated } },
  ],
  'and our own answers have one: 504': [
    {
      send: { 'Cache-Control': 'only-if-cached' },
      gets: { status: 504, body: /not_cached/, ...dated },
    },
  ],
});
