import { expect, it } from 'vitest';
import { createFetch } from '../../src/ecosystems/fetch.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://dl.example.com/pub';
const create = () => createFetch({ hosts: ['Files.Example.com', '127.0.0.1:9000'] });

describeEcosystem({
  create,
  upstreamUrl,
  paths: ['/https://files.example.com/a', '/https:/dl.example.com/pub/a', '/http://evil.example/'],
  allowedHosts: ['files.example.com', '127.0.0.1:9000'],
});

const table = [
  ['/https://files.example.com/a/b?c=d', 'https://files.example.com/a/b?c=d'],
  ['/https:/files.example.com/a', 'https://files.example.com/a'],
  ['/HTTPS://FILES.example.com:443/a', 'https://files.example.com/a'],
  ['/http://127.0.0.1:9000/a', 'http://127.0.0.1:9000/a'],
  ['/https://dl.example.com/pub/a', 'https://dl.example.com/pub/a'],
  ['/https://dl.example.com/private', 403],
  ['/https://dl.example.com.evil.example/pub/a', 403],
  ['/https://evil.example/https://files.example.com/', 403],
  ['/http://127.0.0.1:9001/a', 403],
  ['/http://[::1]/a', 403],
  ['/https://user:hush@files.example.com/a', 400],
  ['/https://files.example.com%2f@evil.example/a', 400],
  ['/https://files.example.com\\@evil.example/a', 400],
  ['/https://files.example.com/../a', 400],
  ['/https://files.example.com/%2e%2e/a', 400],
  ['/file:///etc/passwd', 400],
  ['/a/b', 400],
  ['/', 400],
] as const;

it.each(table)('fetch takes %s for %s', (path, expected) => {
  const answer = create().answer?.({ method: 'GET', path, upstreamUrl });
  const url = create().resolve?.(path, upstreamUrl);
  if (typeof expected === 'string') expect([url, answer]).toEqual([expected, undefined]);
  else expect([url, answer?.status]).toEqual([undefined, expected]);
});
