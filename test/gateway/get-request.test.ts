import { expect, test } from 'vitest';
import { createFileRequests } from '../../src/gateway-get-request.ts';
import { good, loadText } from '../config/support.ts';

const hex = 'ab'.repeat(32);
const config = `
mounts:
  - path: /debian
    ecosystem: apt
    upstreams:
      - { url: https://one.example.com/debian, authorization: Bearer one }
      - { url: https://two.example.com/debian, authorization: Bearer two }
  - path: /go
    ecosystem: go
    upstreams: [{ url: https://first.example.com }, { url: https://second.example.com }]
`;

async function requests() {
  const { config: loaded } = await good(loadText(config));
  const make = createFileRequests(loaded);
  return (url: string, options: Partial<Parameters<typeof make>[0]> = {}) =>
    make({ url, headers: [], digest: undefined, mirrors: true, ...options });
}

test('a URL of nobody has its own place only, and what it is nobody knows', async () => {
  const request = (await requests())('https://files.example.org/x');
  expect(request).toMatchObject({ upstreams: [], order: 'configured', trusted: true });
  expect(request.digest).toBe(undefined);
});

test('with a digest it may come from wherever it is soonest', async () => {
  const digest = { algorithm: 'sha256', hex } as const;
  const request = (await requests())('https://files.example.org/x', { digest });
  expect(request).toMatchObject({ digest });
  expect(request.order).toBe(undefined);
});

test('a URL of any upstream of a mount has them all, and what its ecosystem knows', async () => {
  const make = await requests();
  const path = `dists/stable/main/by-hash/SHA256/${hex}`;
  const request = make(`https://two.example.com/debian/${path}`);
  expect(request.url).toBe(`https://one.example.com/debian/${path}`);
  expect(request.upstreams.map(({ url }) => new URL(url).host)).toEqual([
    'one.example.com',
    'two.example.com',
  ]);
  expect(request.digest).toEqual({ algorithm: 'sha256', hex });
  expect(request.order).toBe(undefined);
  const index = make('https://two.example.com/debian/dists/stable/Release');
  expect(index.order).toBe('configured');
});

test('without mirrors it has the upstream that the URL names, with its credentials', async () => {
  const url = 'https://two.example.com/debian/pool/x.deb';
  const request = (await requests())(url, { mirrors: false });
  expect(request.url).toBe(url);
  expect(request.upstreams).toMatchObject([{ authorization: 'Bearer two' }]);
});

test('repositories are asked one after the other, unless there are to be no others', async () => {
  const make = await requests();
  const url = 'https://first.example.com/example.com/m/@v/v1.0.0.zip';
  expect(make(url)).toMatchObject({ repositories: true });
  expect(make(url, { mirrors: false })).toMatchObject({ repositories: false });
});
