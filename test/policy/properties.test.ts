import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawHeaders } from '../../src/core/raw-headers.ts';
import { contentRange, parseContentRange, selectRanges } from '../../src/policy/byte-range.ts';
import { evaluatePreconditions } from '../../src/policy/conditional.ts';
import { decide, mayServeStaleOnError } from '../../src/policy/decide.ts';
import { freshnessLifetime } from '../../src/policy/freshness.ts';
import { formatHttpDate, parseHttpDate } from '../../src/policy/http-date.ts';
import { excludeEachOther, matchesVary, varyOf } from '../../src/policy/vary.ts';
import { at, date, type Fields, get, options, stored, t0 } from './stored.ts';

const seconds = fc.nat(500);

describe('what a client asks', () => {
  const maybe = fc.option(seconds, { nil: undefined });
  const asking = fc.record({ maxAge: maybe, minFresh: maybe, maxStale: maybe });
  type Asking = { [K in 'maxAge' | 'minFresh' | 'maxStale']: number | undefined };

  const names = { maxAge: 'max-age', minFresh: 'min-fresh', maxStale: 'max-stale' } as const;
  const spelled = (asks: Asking): Fields => {
    const said = (['maxAge', 'minFresh', 'maxStale'] as const)
      .filter((name) => asks[name] !== undefined)
      .map((name) => `${names[name]}=${asks[name]}`);
    return said.length === 0 ? {} : { 'Cache-Control': said.join(', ') };
  };
  const reused = (asks: Asking, lifetime: number, age: number) => {
    const meta = stored({ 'Cache-Control': `max-age=${lifetime}` });
    return decide(get(spelled(asks)), [meta], options, at(age)).kind !== 'validate';
  };

  it('is never easier to meet for being stricter, or by what is older (RFC 9111 section 5.2.1)', () => {
    fc.assert(
      fc.property(asking, seconds, seconds, seconds, (asks, lifetime, age, more) => {
        fc.pre(!reused(asks, lifetime, age));
        const { maxAge = Infinity, minFresh = 0, maxStale } = asks;
        expect(reused(asks, lifetime, age + more)).toBe(false);
        const younger = Math.max(0, Math.min(maxAge, 500) - more);
        expect(reused({ ...asks, maxAge: younger }, lifetime, age)).toBe(false);
        expect(reused({ ...asks, minFresh: minFresh + more }, lifetime, age)).toBe(false);
        // Without max-stale a max-age takes nothing stale, so the staleness that it grants is none.
        const less = maxStale === undefined ? undefined : Math.max(0, maxStale - more);
        expect(reused({ ...asks, maxStale: less }, lifetime, age)).toBe(false);
      }),
    );
  });

  it('without a word to it nothing stale is served, and nothing fresh is validated', () => {
    fc.assert(
      fc.property(seconds, seconds, (lifetime, age) => {
        const none = { maxAge: undefined, minFresh: undefined, maxStale: undefined };
        expect(reused(none, lifetime, age)).toBe(age < lifetime);
      }),
    );
  });
});

describe('the stale windows (RFC 5861)', () => {
  it('are those of the response, to the second, and none where it forbids stale', () => {
    const forbidding = ['must-revalidate', 'proxy-revalidate', 's-maxage=0', 'no-cache'];
    const forbidden = fc.constantFrom('', ...forbidding);
    fc.assert(
      fc.property(seconds, seconds, seconds, forbidden, (behind, onError, staleness, more) => {
        const windows = `stale-while-revalidate=${behind}, stale-if-error=${onError}`;
        const meta = stored({ 'Cache-Control': `max-age=0, ${windows}, ${more}` });
        const { kind } = decide(get(), [meta], options, at(staleness));
        const allowed = more === '';
        expect(kind === 'stale-while-revalidate').toBe(allowed && staleness < behind);
        const served = mayServeStaleOnError(get(), meta, options, at(staleness), 503);
        expect(served).toBe(allowed && staleness < onError);
      }),
    );
  });
});

describe('dates (RFC 9110 section 5.6.7)', () => {
  const days = ['Sun', 'Mon', 'Tues', 'Wednes', 'Thurs', 'Fri', 'Satur'];
  const formats: readonly ((time: number) => string)[] = [
    formatHttpDate,
    (time) => {
      const [, day = '', month, year = '', clock] = formatHttpDate(time).split(' ');
      return `${days[new Date(time).getUTCDay()]}day, ${day}-${month}-${year.slice(2)} ${clock} GMT`;
    },
    (time) => {
      const [name = '', day = '', month, year, clock] = formatHttpDate(time).split(' ');
      return `${name.slice(0, 3)} ${month} ${day.replace(/^0/, ' ')} ${clock} ${year}`;
    },
  ];
  const format = fc.constantFrom(...formats);
  const offset = fc.integer({ min: -40 * 365 * 86_400, max: 40 * 365 * 86_400 });

  it('an Expires in any format lasts from Date in any format to its very second', () => {
    fc.assert(
      fc.property(format, format, offset, offset, (one, other, from, to) => {
        const Expires = one(at(to));
        const lifetime = freshnessLifetime(stored({ Date: other(at(from)), Expires }), options);
        expect(lifetime).toBe(Math.min(Math.max(0, to - from), 2 ** 31));
      }),
    );
  });

  it('a date with a character more, or one less, is none', () => {
    const character = fc.constantFrom(...' 0139,-:GMTx+\t');
    fc.assert(
      fc.property(format, offset, fc.nat(40), character, (spell, from, position, added) => {
        const text = spell(at(from));
        const place = position % text.length;
        const longer = text.slice(0, place) + added + text.slice(place);
        const shorter = text.slice(0, place) + text.slice(place + 1);
        expect(parseHttpDate(text, t0)).toBe(at(from));
        expect(parseHttpDate(longer, t0)).toBeUndefined();
        expect(parseHttpDate(shorter, t0)).toBeUndefined();
      }),
    );
  });

  it('a heuristic is a tenth of the time since, at most a day', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000), (since) => {
        const meta = stored({ 'Last-Modified': date(-since) });
        expect(freshnessLifetime(meta, options)).toBe(Math.min(Math.floor(since / 10), 86_400));
      }),
    );
  });
});

describe('ranges (RFC 9110 section 14)', () => {
  const bound = fc.nat(40);
  const pair = fc.tuple(bound, bound).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const specifier = fc.oneof(
    pair,
    bound.map((first) => `${first}-`),
    bound.map((suffix) => `-${suffix}`),
  );
  const specifiers = fc.array(specifier, { minLength: 1, maxLength: 8 });
  const sizes = fc.integer({ min: 1, max: 30 });
  const rangesOf = (list: readonly string[], size: number) => {
    const selection = selectRanges(`bytes=${list.join(', ')}`, size);
    return selection.kind === 'ranges' ? selection.ranges : [];
  };

  it('what was selected, asked for again, is the same, and each part says where it belongs', () => {
    fc.assert(
      fc.property(specifiers, sizes, (list, size) => {
        const ranges = rangesOf(list, size);
        const again = ranges.map(({ first, last }) => `${first}-${last}`);
        if (ranges.length > 0) expect(rangesOf(again, size)).toEqual(ranges);
        for (const range of ranges) {
          expect(parseContentRange(contentRange(range, size))).toEqual({ ...range, size });
        }
      }),
    );
  });

  it('are the same bytes in whatever order they are asked for', () => {
    fc.assert(
      fc.property(specifiers, sizes, (list, size) => {
        const sorted = (order: readonly string[]) =>
          rangesOf(order, size).toSorted((a, b) => a.first - b.first);
        expect(sorted(list.toReversed())).toEqual(sorted(list));
      }),
    );
  });
});

describe('the keys of variants (RFC 9111 section 4.1)', () => {
  const name = fc.constantFrom('accept-encoding', 'accept-language', 'x-a');
  const word = fc.constantFrom('a', 'b', 'c', 'd;q=0.5');
  const space = fc.constantFrom('', ' ', '\t', '  ');
  const headers = fc.array(fc.tuple(name, word), { maxLength: 4 }).map((pairs) => pairs.flat());
  const key = (request: RawHeaders, nominated: string) => {
    const vary = varyOf(request, ['Vary', nominated]);
    return vary === '*' ? [] : vary;
  };

  it('do not depend on how a list is spelled: spaces, lines, empty members', () => {
    const members = fc.array(fc.tuple(space, word, space), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(name, members, fc.nat(5), (field, spaced, cut) => {
        const written = spaced.map((parts) => parts.join(''));
        const lines = [written.slice(0, cut), written.slice(cut)].map((line) => line.join(',,'));
        const plain = spaced.map(([, member]) => member).join(', ');
        expect(key([field, lines[0] ?? '', field, lines[1] ?? ''], field)).toEqual(
          key([field, plain], field),
        );
      }),
    );
  });

  it('that exclude each other are matched by no request at once', () => {
    const nominated = fc.subarray(['accept-encoding', 'accept-language', 'x-a']);
    const stored = fc.tuple(headers, nominated.map(String)).map(([h, names]) => key(h, names));
    fc.assert(
      fc.property(stored, stored, headers, (one, other, request) => {
        fc.pre(excludeEachOther(one, other));
        expect(matchesVary(one, request) && matchesVary(other, request)).toBe(false);
      }),
    );
  });
});

describe('lists of entity tags (RFC 9110 sections 8.8.3 and 13.1.2)', () => {
  const opaque = fc.string({
    unit: fc.constantFrom('a', 'B', ',', ' !', '\\', "'", '*', '\xe9', '/'),
  });
  const tag = fc.tuple(fc.boolean(), opaque).map(([weak, text]) => {
    const plain = text.replaceAll(' ', '');
    return { weak, opaque: plain, text: `${weak ? 'W/' : ''}"${plain}"` };
  });

  it('hold a tag when one of them has its opaque part; strongly, when both are strong', () => {
    fc.assert(
      fc.property(fc.array(tag, { minLength: 1, maxLength: 5 }), tag, (list, current) => {
        const meta = { status: 200, headers: ['ETag', current.text] };
        const condition = list.map(({ text }) => text).join(' ,');
        const same = list.filter((one) => one.opaque === current.opaque);
        const weakly = evaluatePreconditions(get({ 'If-None-Match': condition }), meta);
        expect(weakly).toBe(same.length > 0 ? 'not-modified' : 'proceed');
        const strongly = evaluatePreconditions(get({ 'If-Match': condition }), meta);
        const holds = !current.weak && same.some(({ weak }) => !weak);
        expect(strongly).toBe(holds ? 'proceed' : 'precondition-failed');
      }),
    );
  });
});
