import { expect, test } from 'vitest';
import { startAdmin } from './admin-side.ts';

const token = 'correct-horse';
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const entry = '/api/entries?mount=/npm';

test.each(['/', '/api/stats', '/api/entries?url=http://example.com/'])(
  'with a token set, %s wants it and says how',
  async (target) => {
    const admin = await startAdmin({}, token);
    const answer = await admin.ask(target);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="millrace", Basic realm="millrace", charset="UTF-8"',
    );
    expect(answer.json()).toMatchObject({ detail: expect.stringContaining('Bearer') });
  },
);

test.each(['/healthz', '/readyz', '/metrics'])('%s stays open for probes', async (target) => {
  const admin = await startAdmin({}, token);
  expect((await admin.ask(target)).status).toBe(200);
});

test.each([
  [`Bearer ${token}`, 200],
  [`bearer  ${token}`, 200],
  [basic('anybody', token), 200],
  [basic('', token), 200],
  [`Bearer ${token}x`, 401],
  [`Bearer ${token.slice(1)}`, 401],
  ['Bearer', 401],
  [token, 401],
  [basic(token, ''), 401],
  [basic('a', 'b'), 401],
  ['Basic %%%', 401],
])('Authorization "%s" gives %i', async (authorization, status) => {
  const admin = await startAdmin({}, token);
  expect((await admin.ask('/api/stats', { headers: { authorization } })).status).toBe(status);
});

test('a change takes the token as a bearer token only', async () => {
  const admin = await startAdmin({ purge: async () => 1 }, token);
  const purge = (authorization: string) =>
    admin.ask(entry, { method: 'DELETE', headers: { authorization } });
  const refused = await purge(basic('me', token));
  expect(refused.status).toBe(401);
  expect(refused.headers['www-authenticate']).toBe('Bearer realm="millrace"');
  expect((await purge(`Bearer ${token}`)).status).toBe(200);
});

test.each([
  [{ origin: 'http://evil.example.com' }],
  [{ origin: 'null' }],
  [{ origin: 'http://127.0.0.1:1' }],
  [{ 'sec-fetch-site': 'cross-site' }],
  [{ 'sec-fetch-site': 'same-site' }],
])('a change from a foreign page is refused, token or not: %j', async (headers) => {
  const purge = () => Promise.reject(new Error('must not be asked'));
  for (const set of [undefined, token]) {
    const admin = await startAdmin({ purge }, set);
    const answer = await admin.ask(entry, {
      method: 'DELETE',
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(403);
  }
});

test('a change from our own page is taken', async () => {
  const admin = await startAdmin({ purge: async () => 1 });
  const headers = { origin: `http://127.0.0.1:${admin.port}`, 'sec-fetch-site': 'same-origin' };
  expect((await admin.ask(entry, { method: 'DELETE', headers })).status).toBe(200);
});

test.each([
  ['rebound.example.com:8081', 403],
  ['127.0.0.1.example.com', 403],
  ['10.1.2.3:8081', 200],
  ['[::1]:8081', 200],
  ['localhost', 200],
])('without a token, a change under Host "%s" gives %i (DNS rebinding)', async (host, status) => {
  const admin = await startAdmin({ purge: async () => 1 });
  expect((await admin.ask(entry, { method: 'DELETE', headers: { host } })).status).toBe(status);
});

test('with a token, any Host will do: a rebound page does not have it', async () => {
  const admin = await startAdmin({ purge: async () => 1 }, token);
  const headers = { host: 'cache.internal', authorization: `Bearer ${token}` };
  expect((await admin.ask(entry, { method: 'DELETE', headers })).status).toBe(200);
});

test('without a token, a foreign name reads only what is for probes (DNS rebinding)', async () => {
  const admin = await startAdmin();
  const headers = { host: 'cache.internal:8081' };
  for (const path of ['/', '/api/stats']) {
    expect((await admin.ask(path, { headers })).status).toBe(403);
  }
  for (const path of ['/healthz', '/metrics']) {
    expect((await admin.ask(path, { headers })).status).toBe(200);
  }
});

test('reading for a page of another origin is not refused: it cannot see the answer', async () => {
  const admin = await startAdmin();
  const headers = { host: '127.0.0.1:8081', origin: 'http://cache.internal' };
  expect((await admin.ask('/api/stats', { headers })).status).toBe(200);
});
