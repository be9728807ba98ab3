import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { head, hold, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';

const hash = createHash('sha256').update('right').digest('hex');
const path = `/dists/stable/by-hash/SHA256/${hash}`;

describe('a body whose digest is known', () => {
  const setup = async () => {
    const origin = await httpOrigin();
    const gateway = await testGateway({
      mounts: [{ path: '/debian', ecosystem: 'apt', url: origin.url }],
    });
    return { origin, gateway };
  };

  test.each([['wrong'], [''], ['wrong'.repeat(50_000)]])(
    'is never given when it is wrong',
    async (body) => {
      const { origin, gateway } = await setup();
      origin.serve(path, { body });
      const herd = await Promise.all([1, 2, 3, 4, 5].map(() => gateway.get(`/debian${path}`)));
      for (const { status, aborted } of herd) expect(status === 502 || aborted).toBe(true);
      origin.serve(path, { body: 'right' });
      expect((await gateway.get(`/debian${path}`)).body.toString()).toBe('right');
    },
  );

  test('is never given when it is wrong to a client with credentials either', async () => {
    const { origin, gateway } = await setup();
    const headers = { Authorization: 'Bearer mine' };
    origin.serve(path, { body: 'wrong' });
    const answer = await gateway.get(`/debian${path}`, { headers });
    expect(answer.status === 502 || answer.aborted).toBe(true);
    origin.serve(path, { body: 'right' });
    expect((await gateway.get(`/debian${path}`, { headers })).body.toString()).toBe('right');
  });
});

test('what a client claims of the way it came does not reach what others get', async () => {
  const origin = await httpOrigin();
  origin.handle('/a', (request, reply) => {
    reply.setHeader('Cache-Control', 'max-age=60');
    reply.end(request.headers['x-forwarded-host'] ?? 'plain');
  });
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const evil = await gateway.get('/files/a', { headers: { 'X-Forwarded-Host': 'evil.example' } });
  expect(evil.body.toString()).toBe('plain');
});

test('a write while the old body is on its way keeps that from being stored', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const fields = { 'Content-Length': '6', 'Cache-Control': 'max-age=60' };
  const script = origin.expect('GET', '/a', head('200 OK', fields), 'old', hold, 'old');
  const reading = gateway.get('/files/a');
  await script.requested;
  origin.expect('PUT', '/a', response('200 OK', {}, 'done'));
  await gateway.get('/files/a', { method: 'PUT', body: 'new' });
  script.release();
  expect((await reading).body.toString()).toBe('oldold');
  origin.expect('GET', '/a', response('200 OK', { 'Cache-Control': 'max-age=60' }, 'new'));
  expect((await gateway.get('/files/a')).body.toString()).toBe('new');
});

test('one validation behind the backs of many clients, shared or not', async () => {
  const clock = new FakeClock();
  const origin = await httpOrigin();
  const stale = 'max-age=1, stale-while-revalidate=100';
  origin.serve('/a', { body: 'old', headers: { 'Cache-Control': stale } });
  const gateway = await testGateway({
    now: clock.now,
    mounts: [{ path: '/files', url: origin.url }],
  });
  while (!(await gateway.get('/files/a')).field('cache-status')?.includes('hit'));
  clock.advance(10_000);
  const held: (() => void)[] = [];
  origin.handle('/a', (_request, reply) => {
    held.push(() => reply.writeHead(200, { 'Cache-Control': 'private' }).end('mine'));
  });
  await Promise.all(Array.from({ length: 20 }, () => gateway.get('/files/a')));
  await until(() => held.length > 0, 'a validation');
  for (const answer of held) answer();
  expect(held).toHaveLength(1);
});

test('a response that sets a cookie and says nothing of caches is for its client alone', async () => {
  const origin = await httpOrigin();
  const date = new Date(Date.now() - 86_400_000).toUTCString();
  origin.serve('/a', { body: 'hello', lastModified: date, headers: { 'Set-Cookie': 'sid=1' } });
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  for (let i = 0; i < 2; i++) {
    expect((await gateway.get('/files/a')).field('cache-status')).toContain('detail=bypass');
  }
});
