import { expect, it } from 'vitest';
import { apk } from '../../src/ecosystems/apk.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://dl-cdn.alpinelinux.org/alpine';
const artifact = { kind: 'artifact' };
const index = { kind: 'index', freshness: 'explicit' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const table = [
  ['/v3.22/main/x86_64/zlib-1.3.1-r2.apk', artifact],
  ['/edge/community/aarch64/nail-git_ui-0_git20260101-r0.apk', artifact],
  ['/v3.22/main/x86_64/APKINDEX.tar.gz', index],
  ['/edge/main/x86_64/Packages.adb', index],
  ['/app-release-1.0.apk', plain],
  ['/v3.22/main/x86_64/', plain],
  ['/latest-stable/releases/x86_64/latest-releases.yaml', plain],
  ['/../zlib-1.3.1-r2.apk', plain],
] as const;

describeEcosystem({ create: () => apk, upstreamUrl, paths: table.map(([path]) => path) });

it.each(table)('apk judges %s', (path, expected) => {
  const request = { method: 'GET', url: upstreamUrl + path, path, headers: [] };
  expect(apk.classify(request)).toEqual(expected);
  expect(apk.recognises?.(request)).toBe(expected !== plain);
});
