import { expect, test } from 'vitest';
import { fieldValue } from '../../src/core/raw-headers.ts';
import { testGateway } from '../support/gateway.ts';

const mounts = [
  { path: '/npm', ecosystem: 'npm', url: 'https://registry.test' },
  { path: '/files', ecosystem: 'generic', url: 'http://files.example.com' },
] as const;

test('who opens the gateway sees where things are', async () => {
  const gateway = await testGateway({ mounts });
  const { status, body } = await gateway.get('/');
  expect(status).toBe(200);
  expect(body.toString()).toContain(`${gateway.url}/npm  npm  <- https://registry.test`);
});

test('a program is told the same as JSON, with the URL that clients are to use', async () => {
  const publicUrl = 'https://cache.example.com/packages';
  const gateway = await testGateway({ mounts, config: { publicUrl } });
  const response = await gateway.get('/', { headers: { Accept: 'application/json' } });
  expect(JSON.parse(response.body.toString())).toEqual({
    name: 'millrace',
    url: publicUrl,
    mounts: mounts.map(({ url, ...mount }) => ({ ...mount, upstreams: [url] })),
  });
  expect(fieldValue(response.headers, 'content-type')).toBe('application/json');
  expect(fieldValue(response.headers, 'vary')).toBe('Accept');
});
