import { expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import type { AdminPurge } from '../../src/surfaces/admin-view.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { someStats, startAdmin } from './admin-side.ts';

test('health is ok with 200 while all checks pass', async () => {
  expectNoLeaks();
  const checks = { disk: { ok: true } };
  const admin = await startAdmin({ health: () => ({ ok: true, checks }) });
  const answer = await admin.ask('/healthz');
  expect(answer.status).toBe(200);
  expect(answer.json()).toEqual({ status: 'ok', checks });
});

test('health is degraded, still 200, when a check fails and requests are served uncached', async () => {
  const checks = { disk: { ok: false, reason: 'No space left.' } };
  const admin = await startAdmin({ health: () => ({ ok: true, checks }) });
  const answer = await admin.ask('/healthz');
  expect(answer.status).toBe(200);
  expect(answer.json()).toEqual({ status: 'degraded', checks });
});

test('health is down with 503 only when nothing can be served', async () => {
  const admin = await startAdmin({ health: () => ({ ok: false, checks: {} }) });
  const answer = await admin.ask('/healthz');
  expect(answer.status).toBe(503);
  expect(answer.json()).toEqual({ status: 'down', checks: {} });
});

test('readiness ends with the shutdown', async () => {
  let ready = true;
  const admin = await startAdmin({ ready: () => ready });
  expect((await admin.ask('/readyz')).status).toBe(200);
  ready = false;
  const answer = await admin.ask('/readyz');
  expect(answer.status).toBe(503);
  expect(answer.json()).toEqual({ ready: false });
});

test('metrics come with their content type', async () => {
  const admin = await startAdmin();
  const answer = await admin.ask('/metrics');
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4');
  expect(answer.body).toBe('up 1\n');
});

test('stats are what the view says, never to be stored', async () => {
  const admin = await startAdmin();
  const answer = await admin.ask('/api/stats');
  expect(answer.json()).toEqual(someStats());
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
});

test.each([
  ['url=http://Example.COM:80/a?b=c', 'http://example.com/a?b=c'],
  ['url=https%3A%2F%2Fexample.com%2Fg%2B%2B', 'https://example.com/g++'],
  ['url=https://example.com/g++_1.0%252B.deb', 'https://example.com/g++_1.0%2B.deb'],
])('entries of %s are those of %s', async (query, url) => {
  const asked: string[] = [];
  const entries = async (key: string) => {
    asked.push(key);
    return [{ status: 200, size: 3 }];
  };
  const admin = await startAdmin({ entries });
  const answer = await admin.ask(`/api/entries?${query}`);
  expect(answer.json()).toEqual({ url, entries: [{ status: 200, size: 3 }] });
  expect(asked).toEqual([url]);
});

test.each([
  '',
  'url=',
  'url=/npm/left-pad',
  'url=ftp://example.com/',
  'prefix=http://example.com/',
  'url=http://a.test/&url=http://b.test/',
  'url=http://a.test/%zz',
])('entries of ?%s are a 400 that says what is wanted', async (query) => {
  const admin = await startAdmin();
  const answer = await admin.ask(`/api/entries?${query}`);
  expect(answer.status).toBe(400);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json()).toMatchObject({ title: 'Bad Request', status: 400 });
});

test.each<[string, AdminPurge]>([
  ['url=HTTP://example.com/a', { url: 'http://example.com/a' }],
  ['prefix=http://example.com/a', { prefix: 'http://example.com/a' }],
  ['prefix=http://example.com', { prefix: 'http://example.com/' }],
  ['mount=/npm', { mount: '/npm' }],
])('DELETE ?%s purges that and says how many', async (query, expected) => {
  const asked: AdminPurge[] = [];
  const purge = async (selector: AdminPurge) => {
    asked.push(selector);
    return 12;
  };
  const admin = await startAdmin({ purge });
  const answer = await admin.ask(`/api/entries?${query}`, { method: 'DELETE' });
  expect(answer.status).toBe(200);
  expect(answer.json()).toEqual({ purged: 12 });
  expect(asked).toEqual([expected]);
  expect(admin.log.entries).toMatchObject([{ ...expected, purged: 12, msg: 'purged' }]);
});

test.each([
  '',
  'all=1',
  'url=http://a.test/&mount=/npm',
  'mount=/npm&mount=/npm',
  'mount=npm',
  'prefix=https://',
])('DELETE ?%s is a 400 and purges nothing', async (query) => {
  const purge = () => Promise.reject(new Error('must not be asked'));
  const admin = await startAdmin({ purge });
  const answer = await admin.ask(`/api/entries?${query}`, { method: 'DELETE' });
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({ detail: expect.stringMatching(/mount|parameter|URL/) });
});

test('a storage failure is a 503 problem with its code, and a line in the log', async () => {
  const failure = new GatewayError('storage_failed', 'The disk is gone.', { origin: 'storage' });
  const admin = await startAdmin({ entries: () => Promise.reject(failure) });
  const answer = await admin.ask('/api/entries?url=http://example.com/');
  expect(answer.status).toBe(503);
  expect(answer.json()).toMatchObject({ detail: 'storage_failed: The disk is gone.' });
  expect(admin.log.entries).toMatchObject([{ level: 'error', err: { code: 'storage_failed' } }]);
});

test('a failed scrape is a 500 that keeps its reason in the log', async () => {
  const admin = await startAdmin({}, undefined, () => Promise.reject(new Error('inner')));
  const answer = await admin.ask('/metrics');
  expect(answer.status).toBe(500);
  expect(answer.body).not.toContain('inner');
  expect(admin.log.text).toContain('inner');
});

test('HEAD has the fields of the GET and no content', async () => {
  const admin = await startAdmin();
  const get = await admin.ask('/api/stats');
  const head = await admin.ask('/api/stats', { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(head.body).toBe('');
  expect(head.headers['content-length']).toBe(get.headers['content-length']);
});

test.each([
  ['POST', '/metrics', 'GET, HEAD'],
  ['DELETE', '/api/stats', 'GET, HEAD'],
  ['PUT', '/api/entries', 'GET, HEAD, DELETE'],
  ['OPTIONS', '/api/entries', 'GET, HEAD, DELETE'],
])('%s %s is a 405 that allows %s', async (method, target, allow) => {
  const admin = await startAdmin();
  const answer = await admin.ask(target, { method });
  expect(answer.status).toBe(405);
  expect(answer.headers.allow).toBe(allow);
});

test.each([
  ['/nothing', 404],
  ['/api', 404],
  ['/healthz/', 404],
  ['http://example.com/healthz', 400],
])('%s is a %i problem', async (target, status) => {
  const admin = await startAdmin();
  const answer = await admin.ask(target);
  expect(answer.status).toBe(status);
  expect(answer.json()).toMatchObject({ status });
});
