import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { PreparedHead } from '../../src/surfaces/prepared-head.ts';
import { cacheStatusField } from '../../src/telemetry/cache-status.ts';

function headOf(headers: readonly string[]): PreparedHead {
  const record: RequestRecord = {
    surface: 'mount',
    method: 'GET',
    target: '/a',
    client: '127.0.0.1',
    startedAt: 0,
    ecosystem: 'generic',
    outcome: 'hit',
    status: 200,
    cacheStatus: { hit: true },
    bytesOut: 5,
    bytesIn: 0,
  };
  return new PreparedHead({
    status: 200,
    headers,
    ageAt: headers.indexOf('Age') + 1,
    record,
    fields: {
      cacheStatus: cacheStatusField,
      proxyStatus: () => '',
      serverTiming: () => 'mirror; desc="m"',
      via: '1.1 test',
    },
    ending: 'Connection: keep-alive\r\n\r\n',
  });
}

const own = ['ETag', '"one"', 'Age', '0', 'Content-Length', '5'];
const upstreams = ['Cache-Status', 'other; hit', 'Date', 'Sat, 01 Jan 2000 00:00:00 GMT', ...own];
const moments = fc.record({
  age: fc.nat(1200),
  ttl: fc.option(fc.integer({ min: 1, max: 1200 }), { nil: undefined }),
  now: fc.integer({ min: 1_700_000_000_000, max: 1_700_100_000_000 }),
});

test.each([
  ['its date', upstreams],
  ['our date', own],
])('a head with %s that is said anew is what one made then would be', (_whose, headers) => {
  fc.assert(
    fc.property(fc.array(moments, { minLength: 1, maxLength: 20 }), (said) => {
      const again = headOf(headers);
      for (const { age, ttl, now } of said) {
        const once = headOf(headers);
        once.say(age, ttl, now);
        again.say(age, ttl, now);
        const text = again.message.head.toString('latin1');
        expect(text).toBe(once.message.head.toString('latin1'));
        expect(text).toContain(`\r\nAge: ${age}\r\n`);
        expect(text).toContain(`millrace; hit${ttl === undefined ? '' : `; ttl=${ttl}`}\r\n`);
        if (headers === own) expect(text).toContain(`Date: ${new Date(now).toUTCString()}\r\n`);
        const part = { first: 1, last: 3 };
        expect(again.partsOf(5).of(part)).toEqual(once.partsOf(5).of(part));
      }
    }),
  );
});

test('a head that is said each second is written in its place', () => {
  const head = headOf(own);
  head.say(10, 50, 1_700_000_000_000);
  const { message } = head;
  for (let second = 1; second <= 9; second += 1) {
    head.say(10 + second, 50 - second, 1_700_000_000_000 + second * 1000);
  }
  // 41 has as many digits as 50 has.
  expect(head.message).toBe(message);
});
