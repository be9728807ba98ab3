import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { head, hold, response, type Step } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { untilSettled } from '../support/settled.ts';

const fresh = { 'Cache-Control': 'max-age=60', ETag: '"v1"' };
const text = '0123456789';
const length = { ...fresh, 'Content-Length': text.length };

/** How ten bytes may come: with the head, or not all of them. */
const ways: Record<string, readonly Step[]> = {
  'with its head': [response('200 OK', fresh, text)],
  'in a second packet': [head('200 OK', length), hold, text],
  'but for its last byte': [head('200 OK', length) + text.slice(0, 9), hold, text.slice(9)],
};

describe.each(Object.entries(ways))('a small body that comes %s', (_way, steps) => {
  async function setup() {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    const script = origin.expect('GET', '/a', ...steps);
    // A hold is passed as soon as the request is there: the rest comes in a packet of its own.
    void script.requested.then(() => setImmediate(() => script.release()));
    return { origin, gateway };
  }

  test('is a miss that is stored, by the same words', async () => {
    const { origin, gateway } = await setup();
    const miss = await gateway.get('/files/a');
    expect([miss.status, miss.body.toString()]).toEqual([200, text]);
    expect(miss.field('content-length')).toBe('10');
    expect(miss.field('cache-status')).toBe(
      'millrace; fwd=uri-miss; fwd-status=200; stored; detail=miss',
    );
    await untilSettled(gateway);
    const hit = await gateway.get('/files/a');
    expect([hit.body.toString(), hit.field('cache-status')]).toEqual([
      text,
      expect.stringMatching(/^millrace; hit; ttl=\d+$/),
    ]);
    expect(origin.requests).toHaveLength(1);
    const line = gateway.log().find(({ outcome }) => outcome === 'miss');
    expect(line).toMatchObject({ bytesIn: 10, bytesOut: 10, status: 200 });
  });

  test('is one request for all who want it, or a part of it, at once', async () => {
    const { origin, gateway } = await setup();
    const all = Array.from({ length: 10 }, () => gateway.get('/files/a'));
    const part = gateway.get('/files/a', { headers: { Range: 'bytes=2-4' } });
    const same = gateway.get('/files/a', { headers: { 'If-None-Match': '"v1"' } });
    for (const { body } of await Promise.all(all)) expect(body.toString()).toBe(text);
    expect(await part).toMatchObject({ status: 206, body: Buffer.from('234') });
    expect(await same).toMatchObject({ status: 304, body: Buffer.alloc(0) });
    expect(origin.requests).toHaveLength(1);
  });

  test.each([
    ['purged', (url: string) => ({ admin: `/api/entries?url=${encodeURIComponent(url)}` })],
    ['changed', () => ({ method: 'PUT' })],
  ])('and is %s at once is fetched again', async (_what, how) => {
    const { origin, gateway } = await setup();
    await gateway.get('/files/a');
    const change = how(`${origin.url}/a`);
    if ('admin' in change) await gateway.admin(change.admin, 'DELETE');
    else {
      origin.expect('PUT', '/a', response('200 OK', {}, ''));
      const headers = { 'Content-Length': '0' };
      await gateway.get('/files/a', { method: change.method, headers });
    }
    await untilSettled(gateway);
    origin.expect('GET', '/a', response('200 OK', fresh, 'another'));
    expect((await gateway.get('/files/a')).body.toString()).toBe('another');
  });
});

test('a body of no bytes is a miss that is stored', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  origin.expect('GET', '/a', response('200 OK', fresh, ''));
  const miss = await gateway.get('/files/a');
  expect([miss.status, miss.field('content-length'), miss.body]).toEqual([
    200,
    '0',
    Buffer.alloc(0),
  ]);
  await untilSettled(gateway);
  const hit = await gateway.get('/files/a');
  expect([hit.field('content-length'), hit.field('cache-status')]).toEqual([
    '0',
    expect.stringContaining('hit'),
  ]);
});

test('a shutdown stores what was answered', async () => {
  const origin = await scriptedOrigin();
  const first = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  origin.expect('GET', '/a', response('200 OK', fresh, text));
  await first.get('/files/a');
  await first.close();
  const { data } = first.config;
  const again = await testGateway({
    config: { data },
    mounts: [{ path: '/files', url: origin.url }],
  });
  expect((await again.get('/files/a')).field('cache-status')).toContain('hit');
});

test('what a body weighs is counted as with any other', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const body = Buffer.alloc(8_000, createHash('sha256').update('x').digest());
  origin.expect('GET', '/a', response('200 OK', fresh, body));
  await gateway.get('/files/a');
  await untilSettled(gateway);
  const metrics = await gateway.client.send(`${gateway.adminUrl}/metrics`);
  const lines = metrics.body.toString().split('\n');
  const bytes = lines.filter((line) => line.startsWith('millrace_upstream_bytes_total{'));
  expect(bytes).toEqual([expect.stringMatching(/ 8000$/)]);
});
