import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';

test('any URL on an allowed host is served by its path, and kept as it says', async () => {
  const [first, other] = [await httpOrigin(), await httpOrigin()];
  const fresh = { 'Cache-Control': 'max-age=60' };
  first.serve('/a', { body: 'first', headers: fresh });
  other.serve('/b?c=d', { body: 'other', headers: fresh });
  const gateway = await testGateway({
    mounts: [
      { path: '/fetch', ecosystem: 'fetch', url: first.url, hosts: [new URL(other.url).host] },
    ],
  });
  const paths = [`/fetch/${first.url}/a`, `/fetch/${other.url}/b?c=d`];
  const mine = { headers: { Authorization: 'Basic bWluZTptaW5l' } };
  for (const options of [{}, mine]) {
    const answers = await Promise.all(paths.map((path) => gateway.get(path, options)));
    expect(answers.map(({ body }) => body.toString())).toEqual(['first', 'other']);
  }
  // Credentials are for the mount's own upstream.
  const credentials = other.requests.flatMap(({ headers }) => headers);
  expect(credentials).not.toContain('Basic bWluZTptaW5l');
  await Promise.all([first.close(), other.close()]);
  for (const path of paths)
    expect((await gateway.get(path)).field('cache-status')).toContain('hit');
});

test('a host that is not allowed, and what is no URL, is refused without asking anybody', async () => {
  const [first, other] = [await httpOrigin(), await httpOrigin()];
  const gateway = await testGateway({
    mounts: [{ path: '/fetch', ecosystem: 'fetch', url: `${first.url}/pub` }],
  });
  const statuses = [
    [`${other.url}/a`, 403],
    [`${first.url}/private`, 403],
    ['http://169.254.169.254/latest/meta-data', 403],
    ['a/b', 400],
    ['file:///etc/passwd', 400],
  ] as const;
  for (const [target, status] of statuses) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      expect((await gateway.get(`/fetch/${target}`, { method })).status).toBe(status);
    }
  }
  expect([first.requests, other.requests]).toEqual([[], []]);
});
