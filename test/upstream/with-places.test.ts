import { expect, it } from 'vitest';
import { createDownloader } from '../../src/upstream/download.ts';
import { collect } from '../support/collect.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { request, two } from './test-download.ts';
import { transportForTest } from './test-transport.ts';

const wanted = response('200 OK', {}, 'wanted');
const another = response('200 OK', {}, 'another one');
const absent = response('404 Not Found', {}, '');

/** An object of six bytes that may be at two places of the upstreams. */
function fetchFrom(...urls: readonly string[]) {
  const [first = ''] = urls;
  return createDownloader(transportForTest()).fetch(
    request(`${first}/name`, {
      upstreams: urls.map((url) => ({ url })),
      order: 'configured',
      places: { urls: [`${first}/by-hash`, `${first}/plain`], size: 6 },
    }),
  );
}

it.each([
  ['404 Not Found', absent],
  ['410 Gone', response('410 Gone', {}, '')],
  ['403 Forbidden', response('403 Forbidden', {}, '')],
  ['another length', another],
])('after %s the next place is asked', async (_what, answer) => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  origin.expect('GET', '/by-hash', answer);
  origin.expect('GET', '/plain', wanted);
  const got = await fetchFrom(origin.url);
  expect((await collect(got)).bytes.toString()).toBe('wanted');
});

it('what is right, has no length, or failed is an answer', async () => {
  expectNoLeaks();
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nwanted\r\n0\r\n\r\n';
  for (const answer of [wanted, chunked, response('500 Error', {}, 'sorry')]) {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/by-hash', answer);
    await collect(await fetchFrom(origin.url));
  }
});

it('each upstream is asked for a place before the next place', async () => {
  expectNoLeaks();
  const [one, other] = await two();
  one.expect('GET', '/by-hash', absent);
  other.expect('GET', '/by-hash', another);
  one.expect('GET', '/plain', another);
  other.expect('GET', '/plain', wanted);
  const got = await fetchFrom(one.url, other.url);
  expect([got.origin, (await collect(got)).bytes.toString()]).toEqual([other.url, 'wanted']);
});

it('what is nowhere is absent; where somebody has another one, it is that', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  origin.expect('GET', '/by-hash', absent);
  origin.expect('GET', '/plain', absent);
  const got = await fetchFrom(origin.url);
  expect(got.status).toBe(404);
  await collect(got);
  origin.expect('GET', '/by-hash', another);
  origin.expect('GET', '/plain', absent);
  await expect(fetchFrom(origin.url)).rejects.toMatchObject({
    code: 'digest_mismatch',
    origin: 'upstream',
  });
});
