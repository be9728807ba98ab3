import { expect, test } from 'vitest';
import { defaultMounts } from '../../src/config/default-mounts.ts';
import { presets } from '../../src/config/presets.ts';
import { plainHost } from './support.ts';

const own = { host: '127.0.0.1', port: 8080, publicUrl: 'https://cache.example.com' };

test.each([
  'http://127.0.0.1:8080/npm/',
  'http://localhost:8080/npm/',
  'http://[::1]:8080/npm/',
  'https://cache.example.com/npm/',
])('a registry that is this gateway (%s) gives way to the public one, with a warning', (url) => {
  const { mounts, warnings } = defaultMounts({ ...plainHost, npmRegistry: url }, own);
  expect(mounts[0]).toMatchObject({ path: '/npm', url: 'https://public.registry.test' });
  expect(warnings).toEqual([expect.stringContaining('uses this gateway already')]);
});

test.each(['http://127.0.0.1:4873/', 'http://localhost/', 'https://cache.example.community/npm/'])(
  'another registry (%s) is the upstream',
  (url) => {
    const { mounts, warnings } = defaultMounts({ ...plainHost, npmRegistry: url }, own);
    expect(mounts[0]?.url).toBe(url.replace(/\/$/, ''));
    expect(warnings).toEqual([]);
  },
);

test.each(['not a url', 'https://user:hush@registry.test/', 'ftp://registry.test/'])(
  'a registry that cannot be an upstream (%s) gives way to the public one, with a warning',
  (npmRegistry) => {
    const { mounts, warnings } = defaultMounts({ ...plainHost, npmRegistry }, own);
    expect(mounts[0]?.url).toBe('https://public.registry.test');
    expect(warnings).toEqual([expect.stringContaining('cannot be an upstream')]);
    expect(warnings.join()).not.toContain('hush');
  },
);

test('an archive that is this gateway, or at the path of npm, gets no mount', () => {
  const host = {
    ...plainHost,
    aptArchives: [
      { path: '/debian', url: 'http://127.0.0.1:8080/debian' },
      { path: '/npm', url: 'http://archive.test/npm' },
      { path: '/ubuntu', url: 'http://archive.test/ubuntu' },
    ],
  };
  const { mounts, warnings } = defaultMounts(host, own);
  expect(mounts.slice(0, 2).map(({ path }) => path)).toEqual(['/npm', '/ubuntu']);
  expect(mounts.map(({ path }) => path)).not.toContain('/debian');
  expect(warnings).toEqual([expect.stringContaining('/debian from this gateway already')]);
});

test('a public index has its mount, unless an archive of this host has the path', () => {
  const own = { host: '127.0.0.1', port: 8080, publicUrl: undefined };
  const { mounts } = defaultMounts(plainHost, own);
  expect(mounts.slice(1).map(({ path, ecosystem, url }) => ({ path, ecosystem, url }))).toEqual(
    presets,
  );
  const archive = { path: '/pypi', url: 'http://archive.test/pypi' };
  const crowded = defaultMounts({ ...plainHost, aptArchives: [archive] }, own).mounts;
  expect(crowded.filter(({ path }) => path === '/pypi')).toMatchObject([{ ecosystem: 'apt' }]);
  expect(crowded).toHaveLength(mounts.length);
});
