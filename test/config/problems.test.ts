import { describe, expect, test } from 'vitest';
import { ecosystemIds } from '../../src/core/ecosystem-ids.ts';
import { good, load, loadText, problemsOf } from './support.ts';

const port = 'give a whole number from 0 to 65535, without quotes';
const size = 'give a size such as 512KiB, 256MiB, 20GiB or 1GB, or a plain number of bytes';
const span = 'give a duration such as 500ms, 30s, 10m, 1h or 7d';

test('all problems are reported at once, in the order of the file, after those of flags and variables', async () => {
  const text = `listen:
  host: 127.0.0.1
  port: "80"
  prot: 81
memory: lots
mounts:
  - path: npm
    ecosystem: npn
    upstreams:
      - url: ftp://registry.test/
  - ecosystem: apt
    upstreams: []
`;
  const loading = loadText(text, {
    flags: { '--port': 'http' },
    env: { MILLRACE_LISTN_PORT: '80', MILLRACE_DISK: '3 apples' },
  });
  expect(await problemsOf(loading)).toEqual([
    `--port: listen.port: "http" is not a port; ${port}`,
    'MILLRACE_LISTN_PORT: there is no such setting; did you mean MILLRACE_LISTEN_PORT?',
    `MILLRACE_DISK: disk: "3 apples" is not a byte size; ${size}`,
    `millrace.yaml:3:9: listen.port: "80" is not a port; ${port}`,
    'millrace.yaml:4:3: listen.prot: there is no such setting; did you mean listen.port?',
    `millrace.yaml:5:9: memory: "lots" is not a byte size; ${size}`,
    'millrace.yaml:7:11: mounts[0].path: "npm" is not a path for a mount; give a path such as /npm, of letters, digits and -._~ between single slashes',
    `millrace.yaml:8:16: mounts[0].ecosystem: "npn" is not one of the known words; give one of ${ecosystemIds.join(', ')}`,
    'millrace.yaml:10:14: mounts[0].upstreams[0].url: "ftp://registry.test/" is not an absolute http or https URL; give an absolute URL such as https://mirror.example.com/debian',
    'millrace.yaml:11:5: mounts[1].path: is missing; give a path such as /npm, of letters, digits and -._~ between single slashes',
    'millrace.yaml:12:16: mounts[1].upstreams: is an empty list; give 1 or more',
  ]);
});

test('a problem tells its parts apart', async () => {
  const result = await loadText('listen:\n  port: x\n');
  expect(result).toEqual({
    ok: false,
    problems: [
      {
        source: 'millrace.yaml',
        line: 2,
        column: 9,
        path: 'listen.port',
        wrong: '"x" is not a port',
        right: port,
      },
    ],
  });
});

describe('in a file', () => {
  test.each([
    ['a', '1:1: "a" is not a mapping; give keys and values under it'],
    ['port: 80', '1:1: port: there is no such setting; did you mean listen.port?'],
    ['mirrosr: []', '1:1: mirrosr: there is no such setting; did you mean mirrors?'],
    ['log_level: info', '1:1: log_level: there is no such setting; did you mean logLevel?'],
    ['listen.port: 1', '1:1: listen.port: there is no such setting; did you mean listen.port?'],
    [
      'forwardProxy: { zzzzz: 1 }',
      '1:17: forwardProxy.zzzzz: there is no such setting; known here: allow, tunnelPorts, intercept, tunnelIdle',
    ],
    ['listen:', '1:1: listen: has no value; give keys and values under it'],
    ['listen: 80', '1:9: listen: 80 is not a mapping; give keys and values under it'],
    ['listen: { port: }', `1:11: listen.port: has no value; ${port}`],
    ['listen: { port: 1.5 }', `1:17: listen.port: 1.5 is not a port; ${port}`],
    ['listen: { port: 65536 }', `1:17: listen.port: 65536 is not a port; ${port}`],
    [
      'listen: { host: "a:80" }',
      '1:17: listen.host: "a:80" is not a host to listen on; give an address or a name such as 127.0.0.1, :: or localhost, the port apart',
    ],
    ['disk: true', `1:7: disk: true is not a byte size; ${size}`],
    ['disk: 100', '1:7: disk: 100 is too little; give 1MiB or more'],
    ['negativeTtl: 10', `1:14: negativeTtl: 10 is not a duration; ${span}`],
    [
      'timeouts: { idle: 0s }',
      '1:19: timeouts.idle: 0s is out of bounds; give a duration from 1ms to 1d',
    ],
    [
      'logFormat: [json]',
      '1:12: logFormat: a list is not one of the known words; give one of auto, json, pretty',
    ],
    [
      'trustedProxies: 10.0.0.1',
      '1:17: trustedProxies: "10.0.0.1" is not a list; give a list, each entry after a dash',
    ],
    [
      'trustedProxies: [10.0.0.1, proxy.test]',
      '1:28: trustedProxies[1]: "proxy.test" is not an address or a network; give one such as 10.1.2.3 or 10.0.0.0/8',
    ],
    [
      'forwardProxy: { allow: ["a*.test"] }',
      '1:25: forwardProxy.allow[0]: "a*.test" may have a * only at its start, as in *.example.com; give a name, *.suffix, an address or a network such as 10.0.0.0/8',
    ],
    [
      'publicUrl: https://cache.test/?token=hush',
      '1:12: publicUrl: "https://cache.test/" has a query or fragment; leave it out',
    ],
    ['data: ~/cache', '1:7: data: "~/cache" is not resolved here; write the home folder out'],
    [
      'admin: { port: 8080 }',
      '1: admin.port: listen and admin are both on port 8080; give one of them another port',
    ],
    ['disk: 1GiB\ndisk: 2GiB', '2:1: this key was given before; keep one of the two'],
  ])('%s', async (text, expected) => {
    expect(await problemsOf(loadText(text))).toEqual([`millrace.yaml:${expected}`]);
  });

  test.each(['a: [1', 'a: b: c', '\ta: 1', 'disk: "1', '%YAML 9\n---\n{', '---\n{}\n---\n{}'])(
    'YAML that cannot be read is a problem with its line: %j',
    async (text) => {
      const [first] = await problemsOf(loadText(text));
      expect(first).toMatch(/^millrace\.yaml:\d+:\d+: /);
    },
  );

  test('a duplicate key does not hide other problems', async () => {
    expect(await problemsOf(loadText('disk: 1GiB\ndisk: 2GiB\nmemory: x\n'))).toHaveLength(2);
  });

  test('aliases that multiply are refused', async () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, from] of ['ba', 'cb', 'dc', 'ed'].map((pair) => [...pair] as const)) {
      bomb.push(`${name}: &${name} [${`*${from}, `.repeat(10)}]`);
    }
    const [problem] = await problemsOf(loadText(bomb.join('\n')));
    expect(problem).toMatch(/^millrace\.yaml: .*; write the values out$/);
  });

  test('a value behind an alias is reported where it stands', async () => {
    const text = 'listen: &here { port: x }\nadmin: *here\n';
    expect(await problemsOf(loadText(text))).toEqual([
      `millrace.yaml:1:23: listen.port: "x" is not a port; ${port}`,
      `millrace.yaml:1:23: admin.port: "x" is not a port; ${port}`,
    ]);
  });
});

describe('in a mount', () => {
  const mount = (fields: string, upstream = '{ url: "http://a.test" }'): string =>
    `mounts:\n  - path: /a\n    ecosystem: generic\n    upstreams: [${upstream}]\n    ${fields}\n`;

  test.each([
    [
      'tarballs: auto',
      '5:5: mounts[0].tarballs: only a mount of the ecosystem npm has tarballs; remove it',
    ],
    [
      'upstream: x',
      '5:5: mounts[0].upstream: there is no such setting; did you mean mounts[0].upstreams?',
    ],
    [
      'redirects: never',
      '5:16: mounts[0].redirects: "never" is not one of the known words; give one of auto, follow, forward',
    ],
    [
      'hosts: ["*.test"]',
      '5:13: mounts[0].hosts[0]: "*.test" is not a host; give a host name such as files.example.com, with :port if need be',
    ],
    [
      'cacheControlFields: [CDN Cache-Control]',
      '5:26: mounts[0].cacheControlFields[0]: "CDN Cache-Control" is not a field name; give a name such as CDN-Cache-Control',
    ],
    [
      'storeSetCookie: sometimes',
      '5:21: mounts[0].storeSetCookie: "sometimes" is not one of the known words; give one of explicit, always, never',
    ],
    [
      'storeServerErrors: "no"',
      '5:24: mounts[0].storeServerErrors: "no" is not true or false; give true or false, without quotes',
    ],
    [
      'staleOnDisconnect: 1',
      '5:24: mounts[0].staleOnDisconnect: 1 is not true or false; give true or false, without quotes',
    ],
    [
      'memory: 1GiB',
      '5:5: mounts[0].memory: there is no such setting; known here: path, ecosystem, upstreams, negativeTtl, staleIfError, staleOnDisconnect, cacheControlFields, storeSetCookie, storeServerErrors, defaultTtl, redirects, indexes, hosts, tarballs',
    ],
  ])('%s', async (fields, expected) => {
    expect(await problemsOf(loadText(mount(fields)))).toEqual([`millrace.yaml:${expected}`]);
  });

  test.each([
    ['/a b', 'is not a path'],
    ['/a?b', 'is not a path'],
    ['/a//b', 'is not a path'],
    ['/a/../b', 'is not a path'],
    ['/%2e%2e', 'is not a path'],
  ])('the path %s is refused', async (path, expected) => {
    const [problem, ...more] = await problemsOf(loadText(mount('').replace('/a', `"${path}"`)));
    expect(problem).toContain(expected);
    expect(more).toEqual([]);
  });

  test.each([
    [
      '{ url: "http://u:p@a.test" }',
      'the URL holds credentials; take them out and use `authorization`',
    ],
    ['{ url: "http://a.test/#x" }', '"http://a.test/" has a query or fragment; leave it out'],
    [
      '{ url: "http://a.test/x/../y" }',
      '"http://a.test/x/../y" has . or .. in its path; write the path out',
    ],
    ['{ url: "http://a.test:99999" }', 'is not an absolute http or https URL'],
    ['{ url: a.test }', 'is not an absolute http or https URL'],
    ['{ url: "http://a.test/ü" }', 'is not an absolute http or https URL'],
    ['{}', 'mounts[0].upstreams[0].url: is missing'],
  ])('the upstream %s is refused', async (upstream, expected) => {
    const [problem, ...more] = await problemsOf(loadText(mount('', upstream)));
    expect(problem).toContain(expected);
    expect(more).toEqual([]);
  });

  test('the upstream of images is the /v2 of a registry, or below it', async () => {
    const text = (url: string): string =>
      `mounts:\n  - { path: /v2, ecosystem: oci, upstreams: [{ url: "${url}" }] }\n`;
    const [problem, ...more] = await problemsOf(loadText(text('https://registry.test/')));
    expect(more).toEqual([]);
    expect(problem).toContain(
      'https://registry.test is not below the /v2 of a registry; give https://registry.test/v2',
    );
    for (const url of ['https://registry.test/v2', 'https://registry.test/v2/team']) {
      const { config } = await good(loadText(text(url)));
      expect(config.mounts).toMatchObject([{ upstreams: [{ url }], redirects: 'follow' }]);
    }
  });

  test('a path or an upstream given twice is refused, however it is spelt', async () => {
    const text = `mounts:
  - { path: /a, ecosystem: generic, upstreams: [{ url: "http://a.test" }] }
  - { path: /a/, ecosystem: generic, upstreams: [{ url: "http://a.test/x" }, { url: "HTTP://A.test:80/x/" }] }
`;
    expect(await problemsOf(loadText(text))).toEqual([
      'millrace.yaml:3:13: mounts[1].path: mounts[0] has the path /a already; give each mount a path of its own',
      'millrace.yaml:3:85: mounts[1].upstreams[1].url: http://a.test/x is an upstream of this mount already; remove one of the two',
    ]);
  });
});

test('a secret is not repeated in the problem that it makes', async () => {
  const text = `admin: { token: "hush hush" }
mounts:
  - path: /a
    ecosystem: generic
    upstreams: [{ url: "http://user:hush@a.test", authorization: " hush" }]
`;
  const env = { MILLRACE_ADMIN_TOKEN: 'hush!', MILLRACE_TOKN: 'hush' };
  const problems = await problemsOf(loadText(text, { env }));
  expect(problems).toHaveLength(5);
  expect(problems.join('\n')).not.toContain('hush');
});

test.each([
  [
    'MILLRACE_MOUNTS',
    'mounts cannot be given by a variable; put them into a file and name that in MILLRACE_CONFIG or --config',
  ],
  ['MILLRACE_CONFIGS', 'there is no such setting; did you mean MILLRACE_CONFIG?'],
  [
    'MILLRACE_TIMEOUTS_FIRSTBYTE',
    'there is no such setting; did you mean MILLRACE_TIMEOUTS_FIRST_BYTE?',
  ],
])('the variable %s is a problem', async (name, expected) => {
  expect(await problemsOf(load({ env: { [name]: 'x' } }))).toEqual([`${name}: ${expected}`]);
});
