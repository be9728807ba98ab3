import { expect } from 'vitest';
import type { Classification, ClassifyRequest, Rewrite } from '../../src/core/classification.ts';
import { createNpm, type TarballMode } from '../../src/ecosystems/npm.ts';

export const registry = 'https://registry.test';
export const mirror = 'https://mirror.test/npm';
export const publicBase = 'http://cache.example.com/npm';
export const npm11 = ['User-Agent', 'npm/11.19.1 node/v26.10.0 linux x64 workspaces/false'];
export const yarn = ['User-Agent', 'yarn/1.22.22 npm/? node/v22.0.0 linux x64'];
export const hosts = ['files.test', 'files.test:8443'];

export const npm = create();

export function create(mode: TarballMode = 'auto') {
  return createNpm({ canonicalRegistry: `${registry}/`, tarballs: mode, hosts });
}

export function get(path: string, headers: readonly string[] = []): ClassifyRequest {
  return { method: 'GET', url: registry + path, path, headers };
}

export function throughMount(
  headers: readonly string[],
  settings: { npm?: ReturnType<typeof create>; upstreamUrl?: string; publicBase?: string } = {},
): Classification {
  const upstreamUrl = settings.upstreamUrl ?? registry;
  return (settings.npm ?? npm).classify({
    ...get('/name', headers),
    url: `${upstreamUrl}/name`,
    upstreamUrl,
    publicBase: settings.publicBase ?? publicBase,
  });
}

export function rewriteOf(answer: Classification): Rewrite {
  if (answer.kind !== 'index' || !answer.rewrite) throw new Error('there is no rewrite');
  return answer.rewrite;
}

/** The tarball's URL after the rewriting, in a packument that must not change otherwise. */
export function rewritten(answer: Classification, tarball: string): unknown {
  const packument = (url: string) => ({
    name: 'a',
    tarball: url,
    versions: { '1.0.0': { dist: { shasum: 'x', tarball: url }, dependencies: { tarball: '1' } } },
  });
  const rewriter = rewriteOf(answer).create();
  const input = Buffer.from(JSON.stringify(packument(tarball)));
  const output: ReturnType<typeof packument> = JSON.parse(
    Buffer.concat([...rewriter.push(input), ...rewriter.end()]).toString(),
  );
  const served = output.versions['1.0.0'].dist.tarball;
  const expected = packument(tarball);
  expected.versions['1.0.0'].dist.tarball = served;
  expect(output).toEqual(expected);
  return served;
}
