import { expect, it } from 'vitest';
import { createGithub } from '../../src/ecosystems/github.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://github.com';
const create = () => createGithub({ hosts: [] });
const commit = '0123456789abcdef0123456789abcdef01234567';
const artifact = { kind: 'artifact' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const passthrough = { kind: 'passthrough' };
const table = [
  [`/acme/nail/archive/${commit}.tar.gz`, artifact],
  [`/acme/nail/raw/${commit}/docs/a.md`, artifact],
  ['/acme/nail/releases/download/v1.0.0/nail.tar.gz', plain],
  ['/acme/nail/releases/latest/download/nail.tar.gz', plain],
  ['/acme/nail/archive/refs/tags/v1.0.0.zip', plain],
  ['/acme/nail/archive/v1.0.0.tar.gz', plain],
  ['/acme/nail/raw/main/README.md', plain],
  ['/acme/nail', passthrough],
  ['/acme/nail.git/info/refs?service=git-upload-pack', passthrough],
  ['/acme/nail/releases', passthrough],
  ['/login', passthrough],
  [`/acme/nail/archive/${commit}.tar.gz?x=1`, passthrough],
  ['/acme/../nail/raw/main/x', passthrough],
] as const;

const files = ['codeload.github.com', 'raw.githubusercontent.com'];
describeEcosystem({
  create,
  upstreamUrl,
  paths: table.map(([path]) => path),
  allowedHosts: files,
});

function judge(url: string) {
  return create().classify({ method: 'GET', url, path: '/', headers: [], upstreamUrl });
}

it.each(table)('github judges %s', (path, expected) => {
  expect(judge(upstreamUrl + path)).toMatchObject(expected);
});

it.each([
  [`https://raw.githubusercontent.com/acme/nail/${commit}/a.md`, artifact],
  ['https://raw.githubusercontent.com/acme/nail/main/a.md', plain],
  [`https://codeload.github.com/acme/nail/tar.gz/${commit}`, artifact],
  ['https://codeload.github.com/acme/nail/tar.gz/refs/tags/v1', plain],
  [`https://github.com/acme/nail/${commit}/a.md`, passthrough],
])('github judges %s, which its mount reaches too', (url, expected) => {
  expect(judge(url)).toMatchObject(expected);
  const path = `/-/at/${url.replace('://', '/')}`;
  expect(create().resolve?.(path, upstreamUrl)).toBe(url);
});
