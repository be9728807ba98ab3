import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderWith, good, load, loadText, plainHost, problemsOf } from './support.ts';

/** The defaults of what a mount may decide. */
const caching = {
  staleOnDisconnect: true,
  cacheControlFields: ['millrace-cache-control', 'cdn-cache-control'],
  storeSetCookie: 'explicit',
  storeServerErrors: true,
};

test('without anything given, every setting has its default', async () => {
  const { config, sources, warnings } = await good(load());
  expect(config).toMatchObject({
    listen: { host: '127.0.0.1', port: 8080 },
    admin: { host: '127.0.0.1', port: 8081, token: undefined },
    publicUrl: undefined,
    trustedProxies: [],
    data: '/work-folder/data',
    memory: 256 * 2 ** 20,
    disk: 20 * 2 ** 30,
    logLevel: 'info',
    logFormat: 'auto',
    negativeTtl: 10_000,
    staleIfError: 86_400_000,
    ...caching,
    debugToken: undefined,
    timeouts: { connect: 5_000, firstByte: 30_000, idle: 30_000 },
    shutdownGrace: 30_000,
    forwardProxy: { allow: [] },
    npmCanonicalRegistry: 'https://public.registry.test',
  });
  expect(
    new Set([...sources].filter(([path]) => !path.startsWith('mounts[')).map(([, from]) => from)),
  ).toEqual(new Set(['default']));
  expect(warnings).toEqual([]);
});

test('a flag wins over a variable, a variable over the file, the file over the default', async () => {
  const { config, sources } = await good(
    loadText('listen: { host: "::1", port: 1001 }\nadmin:\n  port: 1002\ndisk: 1GiB\n', {
      env: { MILLRACE_LISTEN_PORT: '2001', MILLRACE_ADMIN_PORT: '2002' },
      flags: { '--port': '3001' },
    }),
  );
  expect(config.listen).toMatchObject({ host: '::1', port: 3001 });
  expect(config.admin.port).toBe(2002);
  expect(config.disk).toBe(2 ** 30);
  expect(config.memory).toBe(256 * 2 ** 20);
  expect(sources.get('listen.port')).toBe('--port');
  expect(sources.get('admin.port')).toBe('MILLRACE_ADMIN_PORT');
  expect(sources.get('listen.host')).toBe('millrace.yaml:1');
  expect(sources.get('disk')).toBe('millrace.yaml:4');
  expect(sources.get('memory')).toBe('default');
});

test('each flag of serve reaches its setting', async () => {
  const flags = {
    '--host': 'localhost',
    '--port': '1',
    '--admin-port': '2',
    '--data': 'cache',
    '--log-level': 'debug',
  };
  const { config } = await good(load({ flags }));
  expect(config.listen).toMatchObject({ host: 'localhost', port: 1 });
  expect(config.admin.port).toBe(2);
  expect(config.data).toBe('/work-folder/cache');
  expect(config.logLevel).toBe('debug');
});

test('variables follow the paths, and lists are separated by commas', async () => {
  const { config } = await good(
    load({
      env: {
        MILLRACE_PUBLIC_URL: 'https://cache.example.com/',
        MILLRACE_FORWARD_PROXY_ALLOW: '*.example.com, 10.0.0.0/8:8000',
        MILLRACE_TIMEOUTS_FIRST_BYTE: '1m',
        MILLRACE_TRUSTED_PROXIES: '10.0.0.1',
        MILLRACE_ADMIN_TOKEN: 'secret',
        MILLRACE_DISK: '1GB',
        MILLRACE_CACHE_CONTROL_FIELDS: 'CDN-Cache-Control, Other',
        MILLRACE_STORE_SET_COOKIE: 'always',
        MILLRACE_STORE_SERVER_ERRORS: 'false',
        MILLRACE_STALE_ON_DISCONNECT: 'false',
        MILLRACE_DEBUG_TOKEN: 'hush',
        PATH: '/bin',
      },
    }),
  );
  expect(config.publicUrl).toBe('https://cache.example.com');
  expect(config.forwardProxy.allow).toEqual(['*.example.com', '10.0.0.0/8:8000']);
  expect(config.timeouts.firstByte).toBe(60_000);
  expect(config.trustedProxies).toEqual(['10.0.0.1']);
  expect(config.admin.token).toBe('secret');
  expect(config.disk).toBe(1e9);
  expect(config).toMatchObject({
    cacheControlFields: ['cdn-cache-control', 'other'],
    storeSetCookie: 'always',
    storeServerErrors: false,
    staleOnDisconnect: false,
    debugToken: 'hush',
  });
});

test('an empty variable counts as not set', async () => {
  const { config, sources } = await good(load({ env: { MILLRACE_LISTEN_PORT: '' } }));
  expect(config.listen.port).toBe(8080);
  expect(sources.get('listen.port')).toBe('default');
});

test('MILLRACE_CONFIG names the file, and --config wins over it', async () => {
  const cwd = await folderWith('logLevel: warn\n');
  const env = { MILLRACE_CONFIG: 'millrace.yaml' };
  expect((await good(load({ cwd, env }))).config.logLevel).toBe('warn');
  expect(await problemsOf(load({ cwd, env, file: 'other.yaml' }))).toEqual([
    'other.yaml: there is no such file; give the path of a readable YAML file',
  ]);
});

test('a folder in place of the file is said to be unreadable', async () => {
  const cwd = await folderWith('');
  expect(await problemsOf(load({ cwd, file: '.' }))).toEqual([
    '.: the file cannot be read (EISDIR); give the path of a readable YAML file',
  ]);
});

test('a relative data folder starts at the file that names it, else at the working directory', async () => {
  const folder = await folderWith('data: cache\n');
  const file = join(folder, 'millrace.yaml');
  expect((await good(load({ file }))).config.data).toBe(join(folder, 'cache'));
  const env = { MILLRACE_DATA: 'cache' };
  expect((await good(load({ file, env }))).config.data).toBe('/work-folder/cache');
  const empty = join(await folderWith('{}'), 'millrace.yaml');
  expect((await good(load({ file: empty }))).config.data).toBe('/work-folder/data');
});

test('an empty file says nothing', async () => {
  const { config } = await good(loadText('# nothing yet\n'));
  expect(config.listen.port).toBe(8080);
});

test('a mount is normalised and takes what it leaves open from the global settings', async () => {
  const { config } = await good(
    loadText(`
negativeTtl: 1m
mounts:
  - path: /npm/
    ecosystem: npm
    upstreams: [{ url: "HTTPS://Registry.Test:443/npm/", authorization: "Bearer abc" }]
    hosts: [Files.Example.com, "files.example.org:8080"]
    tarballs: rewrite
  - { path: /, ecosystem: generic, upstreams: [{ url: "http://127.0.0.1:9000" }], staleIfError: 0s, negativeTtl: 2m, staleOnDisconnect: false, cacheControlFields: [X-Cache-Control], storeSetCookie: never, storeServerErrors: false }
  - { path: /deb, ecosystem: apt, upstreams: [{ url: "http://a.test/x" }, { url: "http://b.test/x" }], redirects: forward }
`),
  );
  expect(config.mounts).toEqual([
    {
      path: '/npm',
      ecosystem: 'npm',
      upstreams: [{ url: 'https://registry.test/npm', authorization: 'Bearer abc' }],
      negativeTtl: 60_000,
      staleIfError: 86_400_000,
      ...caching,
      defaultTtl: 300_000,
      redirects: 'follow',
      indexes: 'ordered',
      hosts: ['files.example.com', 'files.example.org:8080'],
      tarballs: 'rewrite',
    },
    {
      path: '/',
      ecosystem: 'generic',
      upstreams: [{ url: 'http://127.0.0.1:9000' }],
      negativeTtl: 120_000,
      staleIfError: 0,
      staleOnDisconnect: false,
      cacheControlFields: ['x-cache-control'],
      storeSetCookie: 'never',
      storeServerErrors: false,
      defaultTtl: undefined,
      redirects: 'forward',
      indexes: 'equal',
      hosts: [],
      tarballs: 'auto',
    },
    {
      path: '/deb',
      ecosystem: 'apt',
      upstreams: [{ url: 'http://a.test/x' }, { url: 'http://b.test/x' }],
      negativeTtl: 60_000,
      staleIfError: 86_400_000,
      ...caching,
      defaultTtl: undefined,
      redirects: 'forward',
      indexes: 'ordered',
      hosts: [],
      tarballs: 'auto',
    },
  ]);
});

test('without mounts those of the host stand, and an empty list means none', async () => {
  const hostDefaults = {
    ...plainHost,
    aptArchives: [{ path: '/debian', url: 'http://archive.example.org/debian' }],
    aptHosts: ['archive.example.org'],
  };
  const { config, sources } = await good(load({ hostDefaults }));
  expect(
    config.mounts.slice(0, 3).map(({ path, ecosystem, upstreams }) => [path, ecosystem, upstreams]),
  ).toEqual([
    ['/npm', 'npm', [{ url: 'https://registry.test' }]],
    ['/debian', 'apt', [{ url: 'http://archive.example.org/debian' }]],
    ['/pypi', 'pypi', [{ url: 'https://pypi.org' }]],
  ]);
  expect(sources.get('mounts[1]')).toBe('apt sources of this host');
  const none = (await good(loadText('mounts: []', { hostDefaults }))).config;
  expect(none.mounts).toEqual([]);
  expect(none.aptHosts).toEqual(['archive.example.org']);
});

test('an admin side beyond loopback without a token is warned of', async () => {
  const { warnings } = await good(load({ env: { MILLRACE_ADMIN_HOST: '0.0.0.0' } }));
  expect(warnings).toEqual([
    'the admin side listens beyond loopback without a token: set `admin.token`',
  ]);
  const env = { MILLRACE_ADMIN_HOST: '0.0.0.0', MILLRACE_ADMIN_TOKEN: 't' };
  expect((await good(load({ env }))).warnings).toEqual([]);
});

test('each caching setting of the top is that of a mount that has none', async () => {
  const { config } = await good(
    loadText(`
cacheControlFields: []
storeSetCookie: always
storeServerErrors: false
staleOnDisconnect: false
mounts: [{ path: /, ecosystem: generic, upstreams: [{ url: "http://127.0.0.1:9000" }] }]
`),
  );
  expect(config.mounts[0]).toMatchObject({
    cacheControlFields: [],
    storeSetCookie: 'always',
    storeServerErrors: false,
    staleOnDisconnect: false,
  });
});
