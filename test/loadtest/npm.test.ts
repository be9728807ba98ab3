import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { packageSet } from '../../loadtest/npm/package-set.ts';
import { RegistryServer } from '../../loadtest/npm/registry-server.ts';
import { packed } from '../../loadtest/npm/tarball.ts';
import { configuredUpstream } from '../../loadtest/npm/upstream.ts';

test('the packages are the same each time, all reachable, of very different sizes', () => {
  const packages = packageSet(320);
  expect(packages).toEqual(packageSet(320));
  const wanted = new Set(packages.flatMap(({ dependencies }) => Object.keys(dependencies)));
  expect(packages.slice(20).every(({ name }) => wanted.has(name))).toBe(true);
  const sizes = packages.map(({ size }) => size).sort((a, b) => a - b);
  expect(sizes[160]).toBeLessThan(20_000);
  expect(sizes.at(-1)).toBeGreaterThan(500_000);
});

test('a package is a tar archive of its files, with their checksums', () => {
  const [first] = packageSet(1);
  if (!first) throw new Error('there is no package');
  const { tarball, fileCount, integrity } = packed({ ...first, size: 20_000 });
  const tar = gunzipSync(tarball);
  const files: string[] = [];
  for (let at = 0; tar[at] !== 0; ) {
    const header = Buffer.from(tar.subarray(at, at + 512));
    const field = (from: number, to: number): string =>
      header.toString('latin1', from, to).replace(/[\0 ].*/s, '');
    const sum = Number.parseInt(field(148, 156), 8);
    header.fill(' ', 148, 156);
    expect(header.reduce((all, byte) => all + byte, 0)).toBe(sum);
    files.push(field(0, 100));
    at += 512 + Math.ceil(Number.parseInt(field(124, 136), 8) / 512) * 512;
  }
  expect(files).toEqual(['package/package.json', ...[0, 1, 2].map((i) => `package/file-${i}.js`)]);
  expect(fileCount).toBe(4);
  expect(integrity).toBe(`sha512-${createHash('sha512').update(tarball).digest('base64')}`);
});

test('the registry gives documents in both forms, tarballs as they say, and a 304', async () => {
  const registry = new RegistryServer({ packages: 8, latencyMs: 0 });
  registry.server.listen(0, '127.0.0.1');
  await once(registry.server, 'listening');
  onTestFinished(() => void registry.server.close());
  const url = `http://127.0.0.1:${(registry.server.address() as AddressInfo).port}`;
  registry.fill(url);
  const accept = 'application/vnd.npm.install-v1+json';
  const short = await fetch(`${url}/@tools%2fnail-007`, { headers: { accept } });
  const { versions } = (await short.json()) as {
    versions: Record<string, { dist: { tarball: string; integrity: string } }>;
  };
  const { version = '', integrity } = registry.locked[7] ?? {};
  expect(versions[version]?.dist.integrity).toBe(integrity);
  const tarball = await fetch(versions[version]?.dist.tarball ?? '');
  const bytes = Buffer.from(await tarball.arrayBuffer());
  expect(`sha512-${createHash('sha512').update(bytes).digest('base64')}`).toBe(integrity);
  const full = await fetch(`${url}/@tools%2fnail-007`);
  expect(await full.json()).toHaveProperty('readme');
  const tag = short.headers.get('etag') ?? '';
  const again = { accept, 'if-none-match': tag };
  expect((await fetch(`${url}/@tools/nail-007`, { headers: again })).status).toBe(304);
  expect((await fetch(`${url}/other`)).status).toBe(404);
  expect(registry.take()).toBe(5);
});

test('a project of one’s own gets its tarballs from wherever it is measured', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const packages = {
    '': { name: 'mine' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' },
    'node_modules/a/node_modules/@b/c': { version: '2.0.0', resolved: 'https://example.com/x.tgz' },
  };
  await writeFile(join(folder, 'package.json'), '{"dependencies":{"a":"1"}}');
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
  const upstream = await configuredUpstream(folder);
  const locked: unknown = JSON.parse(upstream.project('http://c.test/npm')['package-lock.json']);
  expect(locked).toMatchObject({
    packages: {
      'node_modules/a': { resolved: 'http://c.test/npm/a/-/a-1.0.0.tgz', integrity: 'sha512-x' },
      'node_modules/a/node_modules/@b/c': { resolved: 'http://c.test/npm/@b/c/-/c-2.0.0.tgz' },
    },
  });
  expect(await readFile(join(folder, 'package-lock.json'), 'utf8')).toContain('example.com');
});
