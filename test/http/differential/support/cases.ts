import type { Resource } from '../../../support/http-origin.ts';
import type { PeerName } from './peers.ts';

/** One request, and what the origin has from then on. */
export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What GET, HEAD and the others are answered with. */
  readonly origin?: Resource;
  /** Waits until what the last request stored is older than this; milliseconds. */
  readonly older?: number;
}

/** Exchanges in which these peers are known to do what the section says. */
export interface Case {
  readonly name: string;
  readonly section: string;
  readonly peers: readonly PeerName[];
  readonly asks: readonly Ask[];
}

const all = ['nginx', 'squid', 'varnish'] as const;
const text = '0123456789';
const get: Ask = {};
const date = 'Sun, 06 Nov 1994 08:49:37 GMT';

function having(fields: Readonly<Record<string, string>>, rest: Partial<Resource> = {}): Resource {
  return { body: text, etag: '"a"', headers: fields, ...rest };
}

function caching(control: string, rest: Partial<Resource> = {}): Resource {
  return having({ 'Cache-Control': control }, rest);
}

/** Asks twice: whether the second one is a hit. */
function twice(origin: Resource, ...second: readonly Ask[]): readonly Ask[] {
  return [{ origin }, ...(second.length === 0 ? [get] : second)];
}

/** After a response that is good for a minute. */
function stored(...asks: readonly Ask[]): readonly Ask[] {
  return [{ origin: caching('max-age=60', { lastModified: date }) }, ...asks];
}

function withFields(headers: Readonly<Record<string, string>>): Ask {
  return { headers };
}

type Row = readonly [name: string, peers: readonly PeerName[], asks: readonly Ask[]];

function section(number: string, rows: readonly Row[]): readonly Case[] {
  return rows.map(([name, peers, asks]) => ({ name, section: number, peers, asks }));
}

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toUTCString();

/** The table. A peer that is not in a row does something else there: allowed, or wrong. */
export function cases(): readonly Case[] {
  return [
    ...section('9111 section 4.2.1', [
      ['max-age', all, twice(caching('max-age=60'))],
      ['a directive in capitals', ['nginx', 'varnish'], twice(caching('MAX-AGE=60'))],
      ['max-age=0', all, twice(caching('max-age=0', { etag: false }))],
      ['s-maxage over max-age', all, twice(caching('max-age=0, s-maxage=60'))],
      ['s-maxage=0 over max-age', all, twice(caching('s-maxage=0, max-age=60', { etag: false }))],
      ['Expires', all, twice(having({ Expires: inAnHour() }))],
      ['Expires in the past', all, twice(having({ Expires: date }, { etag: false }))],
      ['Expires: 0', ['nginx', 'squid'], twice(having({ Expires: '0' }, { etag: false }))],
      [
        'max-age over Expires',
        all,
        twice(having({ 'Cache-Control': 'max-age=60', Expires: date })),
      ],
      ['a 404', ['nginx', 'varnish'], twice(caching('max-age=60', { status: 404 }))],
      ['a 410', all, twice(caching('max-age=60', { status: 410 }))],
      ['a 301', all, twice(caching('max-age=60', { status: 301 }))],
    ]),
    ...section('9111 section 4.2.3', [
      [
        'Age counts on',
        ['squid', 'varnish'],
        twice(having({ 'Cache-Control': 'max-age=60', Age: '30' })),
      ],
      [
        'Age beyond the lifetime',
        ['squid', 'varnish'],
        twice(having({ 'Cache-Control': 'max-age=60', Age: '90' }, { etag: false })),
      ],
    ]),
    ...section('9111 section 3', [
      ['no-store', all, twice(caching('no-store'))],
      ['no-store next to max-age', all, twice(caching('no-store, max-age=60'))],
      ['private', all, twice(caching('private, max-age=60'))],
      [
        'what was asked for with Authorization',
        ['squid', 'varnish'],
        [{ origin: caching('max-age=60'), headers: { Authorization: 'Basic eDp5' } }, get],
      ],
    ]),
    ...section('9111 section 4.1', [
      [
        'Vary',
        all,
        [
          { origin: having({ 'Cache-Control': 'max-age=60', Vary: 'X' }), headers: { X: '1' } },
          withFields({ X: '1' }),
          withFields({ X: '2' }),
          withFields({ X: '2' }),
          withFields({ X: '1' }),
          get,
        ],
      ],
      [
        'Vary: *',
        all,
        twice(having({ 'Cache-Control': 'max-age=60', Vary: '*' }, { etag: false })),
      ],
    ]),
    ...section('9111 section 4.3.2', [
      ['If-None-Match that matches', all, stored(withFields({ 'If-None-Match': '"a"' }))],
      ['If-None-Match that does not', all, stored(withFields({ 'If-None-Match': '"b"' }))],
      [
        'If-None-Match with a list',
        ['nginx', 'squid'],
        stored(withFields({ 'If-None-Match': '"b", "a"' })),
      ],
      ['If-None-Match compares weakly', all, stored(withFields({ 'If-None-Match': 'W/"a"' }))],
      ['If-None-Match: *', ['nginx', 'squid'], stored(withFields({ 'If-None-Match': '*' }))],
      ['If-Modified-Since', all, stored(withFields({ 'If-Modified-Since': date }))],
      [
        'If-None-Match over If-Modified-Since',
        all,
        stored(withFields({ 'If-None-Match': '"b"', 'If-Modified-Since': date })),
      ],
    ]),
    ...section('9111 section 4.3', [
      ['no-cache is validated', ['squid'], twice(caching('no-cache'))],
      [
        'a 304 freshens',
        ['nginx', 'squid'],
        [{ origin: caching('max-age=1') }, { older: 2100 }, get],
      ],
    ]),
    ...section('9110 section 14.2', [
      ['a range', all, stored(withFields({ Range: 'bytes=2-4' }))],
      ['a range without an end', all, stored(withFields({ Range: 'bytes=7-' }))],
      ['a suffix', all, stored(withFields({ Range: 'bytes=-3' }))],
      ['a suffix that is longer', all, stored(withFields({ Range: 'bytes=-30' }))],
      ['a range beyond the end', all, stored(withFields({ Range: 'bytes=5-50' }))],
      [
        'a range that cannot be',
        ['nginx', 'varnish'],
        stored(withFields({ Range: 'bytes=20-30' })),
      ],
      ['another unit', ['nginx', 'squid'], stored(withFields({ Range: 'lines=2-4' }))],
      ['If-Range that matches', all, stored(withFields({ Range: 'bytes=2-4', 'If-Range': '"a"' }))],
      [
        'If-Range that does not',
        ['nginx', 'varnish'],
        stored(withFields({ Range: 'bytes=2-4', 'If-Range': '"b"' })),
      ],
    ]),
    ...section('9110 section 9.3.2', [['HEAD of what is stored', all, stored({ method: 'HEAD' })]]),
    ...section('9111 section 4.4', [
      ['POST', ['squid'], stored({ method: 'POST' }, get)],
      ['PUT', ['squid'], stored({ method: 'PUT' }, get)],
      ['DELETE', ['squid'], stored({ method: 'DELETE' }, get)],
      [
        'a POST that failed',
        all,
        stored({ method: 'POST', origin: caching('no-store', { status: 500 }) }, get),
      ],
    ]),
    ...section('9111 section 5.2.1', [
      [
        'only-if-cached of nothing',
        ['squid'],
        [{ headers: { 'Cache-Control': 'only-if-cached' } }],
      ],
      ['only-if-cached', ['squid'], stored(withFields({ 'Cache-Control': 'only-if-cached' }))],
      ['no-cache', ['squid'], stored(withFields({ 'Cache-Control': 'no-cache' }))],
      ['max-age=0', ['squid'], stored(withFields({ 'Cache-Control': 'max-age=0' }))],
      ['max-age that is kept', all, stored(withFields({ 'Cache-Control': 'max-age=50' }))],
      ['min-fresh that is not', ['squid'], stored(withFields({ 'Cache-Control': 'min-fresh=90' }))],
    ]),
    ...section('5861 section 4', [
      [
        'stale-if-error',
        ['nginx'],
        [
          { origin: caching('max-age=1, stale-if-error=60') },
          { older: 2100, origin: { body: 'broken', status: 503, etag: false } },
        ],
      ],
    ]),
  ];
}
