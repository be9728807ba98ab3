import { describe, expect, test } from 'vitest';
import type { Ask, Plan } from '../../../src/cli/setup/tool.ts';
import { toolNamed, tools } from '../../../src/cli/setup/tools.ts';
import { asked, gateway, placeOf, trust } from './place.ts';

const http = 'http://127.0.0.1:8080';
const secure = {
  ...gateway,
  url: 'https://cache.example.com',
  proxyUrl: 'https://cache.example.com',
};

/** What a plan writes, by path. */
function written({ files }: Plan): Record<string, string> {
  return Object.fromEntries(
    files.map(({ path, content }) => [
      path,
      typeof content === 'string' ? content : `${content.length} bytes`,
    ]),
  );
}

function plan(tool: string, change: Partial<Ask> = {}): Plan {
  return toolNamed(tool).plan(asked(change));
}

const ca = '/home/me/.local/share/millrace/setup';
const bundle = 'PUBLIC\nAUTHORITY\n';
const mirrored = (url: string): string =>
  `<mirror><id>millrace</id><mirrorOf>central</mirrorOf><url>${url}</url></mirror>`;

/** By the registry: the files of a host, and those of them that are written. */
const registries: readonly (readonly [string, Record<string, string>, Record<string, string>])[] = [
  [
    'npm',
    { '/home/me/.npmrc': '//registry.test/:_authToken=x\n' },
    { '/home/me/.npmrc': `//registry.test/:_authToken=x\nregistry=${http}/npm/\n` },
  ],
  [
    'pnpm',
    {},
    {
      '/home/me/.config/pnpm/rc': `registry=${http}/npm/\n`,
      '/home/me/.config/pnpm/auth.ini': `registry=${http}/npm/\n`,
    },
  ],
  [
    'yarn',
    { '/home/me/.yarnrc.yml': 'unsafeHttpWhitelist: [x.test]\n' },
    {
      '/home/me/.yarnrc': `registry "${http}/npm/"\n`,
      '/home/me/.yarnrc.yml': `unsafeHttpWhitelist:\n- "x.test"\n- "127.0.0.1"\nnpmRegistryServer: "${http}/npm"\n`,
    },
  ],
  [
    'pip',
    { '/home/me/.pip/pip.conf': '[global]\ntimeout = 9\n' },
    { '/home/me/.pip/pip.conf': `[global]\ntimeout = 9\nindex-url = ${http}/pypi/simple/\n` },
  ],
  ['uv', {}, { '/home/me/.config/uv/uv.toml': `index-url = "${http}/pypi/simple"\n` }],
  [
    'uv',
    { '/home/me/.config/uv/uv.toml': '[[index]]\nurl = "https://x.test"\ndefault = true\n' },
    {
      '/home/me/.config/uv/uv.toml': `[[index]]\nurl = "${http}/pypi/simple"\ndefault = true\n`,
    },
  ],
  [
    'cargo',
    { '/home/me/.cargo/config.toml': '[net]\nretry = 3\n' },
    {
      '/home/me/.cargo/config.toml': `[net]\nretry = 3\n\n[source.crates-io]\nreplace-with = "millrace"\n\n[source.millrace]\nregistry = "sparse+${http}/cargo/"\n`,
    },
  ],
  [
    'cargo',
    { '/home/me/.cargo/config': '' },
    {
      '/home/me/.cargo/config': `[source.crates-io]\nreplace-with = "millrace"\n\n[source.millrace]\nregistry = "sparse+${http}/cargo/"\n`,
    },
  ],
  [
    'go',
    { '/home/me/.config/go/env': 'GOPRIVATE=x.test\nGOPROXY=https://y.test\n' },
    { '/home/me/.config/go/env': `GOPRIVATE=x.test\nGOPROXY=${http}/go,direct\n` },
  ],
  [
    'maven',
    {
      '/home/me/.m2/settings.xml': `<settings>\n  <mirrors>\n    <mirror><id>own</id><mirrorOf>central</mirrorOf><url>https://x.test</url></mirror>\n  </mirrors>\n</settings>\n`,
    },
    {
      '/home/me/.m2/settings.xml': `<settings>\n  <mirrors>\n    ${mirrored(`${http}/maven`)}\n    <mirror><id>own</id><mirrorOf>central</mirrorOf><url>https://x.test</url></mirror>\n  </mirrors>\n</settings>\n`,
    },
  ],
  [
    'maven',
    {
      '/home/me/.m2/settings.xml': `<settings><mirrors>${mirrored('http://old.test/maven')}</mirrors></settings>`,
    },
    {
      '/home/me/.m2/settings.xml': `<settings><mirrors>${mirrored(`${http}/maven`)}</mirrors></settings>`,
    },
  ],
  [
    'gem',
    {
      '/home/me/.gemrc':
        '---\n:sources:\n- https://rubygems.org/\n- https://x.test/\ngem: --no-document\n',
    },
    {
      '/home/me/.gemrc': `---\n:sources:\n- "${http}/gems/"\n- "https://x.test/"\ngem: --no-document\n`,
    },
  ],
  [
    'bundler',
    { '/home/me/.bundle/config': '---\nBUNDLE_PATH: "vendor"\n' },
    {
      '/home/me/.bundle/config': `---\nBUNDLE_PATH: "vendor"\nBUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/: "${http}/gems/"\n`,
    },
  ],
  [
    'apt',
    {
      '/etc/apt/sources.list': 'deb http://archive.example.org/deb stable main\n',
      '/etc/apt/sources.list.d/x.sources': 'URIs: http://other.example.org/deb\n',
    },
    { '/etc/apt/sources.list': `deb ${http}/deb stable main\n` },
  ],
  [
    'docker',
    { '/etc/docker/daemon.json': '{\n  "registry-mirrors": ["https://x.test"]\n}\n' },
    {
      '/etc/docker/daemon.json': `{\n  "registry-mirrors": [\n    "${http}",\n    "https://x.test"\n  ]\n}\n`,
    },
  ],
  [
    'containerd',
    {},
    {
      '/etc/containerd/certs.d/docker.io/hosts.toml': `# Made by millrace setup containerd; to take it out again: millrace setup undo containerd\nserver = "https://registry-1.docker.io"\n\n[host."${http}"]\n  capabilities = ["pull", "resolve"]\n`,
      '/etc/containerd/certs.d/ghcr.io/hosts.toml': `# Made by millrace setup containerd; to take it out again: millrace setup undo containerd\nserver = "https://ghcr.io"\n\n[host."${http}"]\n  capabilities = ["pull", "resolve"]\n`,
    },
  ],
  [
    'nuget',
    {
      '/home/me/.nuget/NuGet/NuGet.Config': `<configuration>\n  <packageSources>\n    <add key="nuget.org" value="https://x.test/v3/index.json" protocolVersion="3" />\n  </packageSources>\n</configuration>\n`,
    },
    {
      '/home/me/.nuget/NuGet/NuGet.Config': `<configuration>\n  <packageSources>\n    <add key="nuget.org" value="${http}/nuget/v3/index.json" protocolVersion="3" allowInsecureConnections="true" />\n  </packageSources>\n</configuration>\n`,
    },
  ],
  [
    'composer',
    { '/home/me/.config/composer/config.json': '{\n    "config": {}\n}\n' },
    {
      '/home/me/.config/composer/config.json': `{\n    "config": {\n        "secure-http": false\n    },\n    "repositories": {\n        "packagist.org": {\n            "type": "composer",\n            "url": "${http}/composer"\n        }\n    }\n}\n`,
    },
  ],
];

test.each(registries)(
  '%s is pointed at the gateway as its registry, given %j',
  (tool, files, expected) => {
    const made = plan(tool, { place: placeOf(files) });
    expect(
      written({
        ...made,
        files: made.files.filter(({ path, content }) => files[path] !== content),
      }),
    ).toEqual(expected);
    // A second time there is nothing to do.
    const again = plan(tool, { place: placeOf({ ...files, ...expected }) });
    expect(written(again)).toEqual(
      Object.fromEntries(again.files.map(({ path }) => [path, { ...files, ...expected }[path]])),
    );
  },
);

test('gradle leads Maven Central to the gateway in every build', () => {
  const { '/home/me/.gradle/init.d/millrace.init.gradle': script, ...others } = written(
    plan('gradle'),
  );
  expect(others).toEqual({});
  expect(script).toContain(`def gateway = '${http}/maven'`);
  expect(script).toContain("'maven.example.com', 'repo.maven.apache.org'");
});

/** As a proxy: what is written where there is nothing. */
const proxies: readonly (readonly [string, Record<string, string>])[] = [
  [
    'npm',
    {
      [`${ca}/npm-ca.pem`]: bundle,
      '/home/me/.npmrc': `proxy=${http}\nhttps-proxy=${http}\ncafile=${ca}/npm-ca.pem\n`,
    },
  ],
  [
    'pnpm',
    {
      [`${ca}/pnpm-ca.pem`]: bundle,
      '/home/me/.config/pnpm/rc': `cafile=${ca}/pnpm-ca.pem\nproxy=${http}\nhttps-proxy=${http}\n`,
      '/home/me/.config/pnpm/auth.ini': `cafile=${ca}/pnpm-ca.pem\n`,
      '/home/me/.config/pnpm/config.yaml': `httpProxy: "${http}"\nhttpsProxy: "${http}"\n`,
    },
  ],
  [
    'yarn',
    {
      [`${ca}/yarn-ca.pem`]: bundle,
      '/home/me/.yarnrc': `proxy "${http}"\nhttps-proxy "${http}"\ncafile "${ca}/yarn-ca.pem"\n`,
      '/home/me/.yarnrc.yml': `httpProxy: "${http}"\nhttpsProxy: "${http}"\nhttpsCaFilePath: "${ca}/yarn-ca.pem"\n`,
    },
  ],
  [
    'pip',
    {
      [`${ca}/pip-ca.pem`]: bundle,
      '/home/me/.config/pip/pip.conf': `[global]\nproxy = ${http}\ncert = ${ca}/pip-ca.pem\n`,
    },
  ],
  [
    'cargo',
    {
      [`${ca}/cargo-ca.pem`]: bundle,
      '/home/me/.cargo/config.toml': `[http]\nproxy = "${http}"\ncainfo = "${ca}/cargo-ca.pem"\n`,
    },
  ],
  [
    'gradle',
    {
      [`${ca}/gradle-ca.jks`]: '3 bytes',
      '/home/me/.gradle/gradle.properties': [
        'systemProp.http.proxyHost=127.0.0.1',
        'systemProp.http.proxyPort=8080',
        'systemProp.https.proxyHost=127.0.0.1',
        'systemProp.https.proxyPort=8080',
        `systemProp.javax.net.ssl.trustStore=${ca}/gradle-ca.jks`,
        'systemProp.javax.net.ssl.trustStorePassword=changeit',
        '',
      ].join('\n'),
    },
  ],
  [
    'apt',
    {
      '/etc/apt/millrace-ca.pem': bundle,
      '/etc/apt/apt.conf.d/01millrace': `// Made by millrace setup apt; to take it out again: millrace setup undo apt\nAcquire::http::Proxy "${http}";\nAcquire::https::CaInfo "/etc/apt/millrace-ca.pem";\n`,
    },
  ],
  [
    'docker',
    {
      '/etc/docker/certs.d/registry-1.docker.io/millrace.crt': 'AUTHORITY\n',
      '/etc/docker/certs.d/ghcr.io/millrace.crt': 'AUTHORITY\n',
      '/etc/docker/daemon.json': `{\n    "proxies": {\n        "http-proxy": "${http}",\n        "https-proxy": "${http}"\n    }\n}\n`,
    },
  ],
  [
    'nuget',
    {
      '/home/me/.nuget/NuGet/NuGet.Config': `<?xml version="1.0" encoding="utf-8"?>\n<configuration>\n  <config>\n    <add key="http_proxy" value="${http}" />\n    <add key="https_proxy" value="${http}" />\n  </config>\n</configuration>\n`,
    },
  ],
  [
    'composer',
    {
      [`${ca}/composer-ca.pem`]: bundle,
      '/home/me/.config/composer/config.json': `{\n    "config": {\n        "cafile": "${ca}/composer-ca.pem"\n    }\n}\n`,
    },
  ],
];

test.each(proxies)('%s is pointed at the gateway as its proxy', (tool, expected) => {
  const made = plan(tool, { mode: 'proxy', trust });
  expect(written(made)).toEqual(expected);
  const place = placeOf(expected);
  expect(written(plan(tool, { mode: 'proxy', trust, place }))).toEqual(expected);
});

test('maven has its proxies first, and its certificates where it starts', () => {
  const settings =
    '<settings>\n  <proxies>\n    <proxy><id>own</id></proxy>\n  </proxies>\n</settings>\n';
  const files = { '/home/me/.m2/settings.xml': settings, '/home/me/.mavenrc': 'umask 022' };
  const made = written(plan('maven', { mode: 'proxy', trust, place: placeOf(files) }));
  const proxy = (name: string): string =>
    `<proxy><id>millrace-${name}</id><active>true</active><protocol>${name}</protocol><host>127.0.0.1</host><port>8080</port></proxy>`;
  expect(made['/home/me/.m2/settings.xml']).toBe(
    settings.replace('<proxies>\n', `<proxies>\n    ${proxy('https')}\n    ${proxy('http')}\n`),
  );
  expect(made['/home/me/.mavenrc']).toBe(
    `umask 022\nMAVEN_OPTS="$MAVEN_OPTS -Djavax.net.ssl.trustStore=${ca}/maven-ca.jks -Djavax.net.ssl.trustStorePassword=changeit"\n`,
  );
  const moved = { ...gateway, proxyUrl: 'http://cache.example.com:3128' };
  const again = plan('maven', { mode: 'proxy', trust, place: placeOf(made), gateway: moved });
  const after = written(again)['/home/me/.m2/settings.xml'];
  expect(after).toBe(
    made['/home/me/.m2/settings.xml']
      ?.replaceAll('127.0.0.1', 'cache.example.com')
      .replaceAll('8080', '3128'),
  );
});

test.each([['uv'], ['go'], ['gem'], ['bundler'], ['composer']])(
  '%s has its proxy from the environment',
  (tool) => {
    const { env } = plan(tool, { mode: 'proxy', trust });
    expect(env).toMatchObject({ HTTP_PROXY: http, HTTPS_PROXY: http });
  },
);

test.each([['uv'], ['go'], ['bundler']])('%s has its certificates from the environment', (tool) => {
  const { env, files } = plan(tool, { mode: 'proxy', trust });
  expect(env).toMatchObject({ SSL_CERT_FILE: `${ca}/${tool}-ca.pem` });
  expect(files).toMatchObject([{ path: `${ca}/${tool}-ca.pem`, content: bundle }]);
});

describe('a gateway at https with its own authority', () => {
  const withCa = tools.map(({ id }) => id).filter((id) => !['gradle', 'apt', 'nuget'].includes(id));
  test.each(withCa.map((id) => [id]))('is trusted by %s', (tool) => {
    const { files } = plan(tool, { gateway: secure, trust });
    const made = files.find(({ about }) => about !== undefined);
    expect(made).toBeDefined();
    expect(files.filter(({ path }) => path !== made?.path).length).toBeGreaterThan(0);
  });

  test('needs no exception from what demands https', () => {
    const all = tools
      .filter(({ id }) => id !== 'apt')
      .map(({ id }) => JSON.stringify(written(plan(id, { gateway: secure }))))
      .join('\n');
    expect(all).not.toMatch(/unsafeHttp|trusted-host|allowInsecureConnections|secure-http/);
  });
});

test('pip trusts a gateway elsewhere that has no https, besides those it trusts already', () => {
  const place = placeOf({
    '/home/me/.config/pip/pip.conf': '[global]\ntrusted-host =\n    x.test\n    y.test\n',
  });
  const there = { ...gateway, url: 'http://cache.example.com' };
  expect(Object.values(written(plan('pip', { place, gateway: there })))).toEqual([
    '[global]\ntrusted-host = x.test y.test cache.example.com\nindex-url = http://cache.example.com/pypi/simple/\n',
  ]);
});

test.each([
  [
    'npm',
    { '/home/me/.npmrc': 'registry=https://me:secret@private.test/npm/\n' },
    'private.test/npm',
  ],
  [
    'pip',
    { '/home/me/.config/pip/pip.conf': '[global]\nindex-url=https://x.test/simple\n' },
    'x.test',
  ],
])('%s that has asked another registry than the gateway does is told so', (tool, files, said) => {
  const [note = ''] = plan(tool, { place: placeOf(files) }).notes ?? [];
  expect(note).toContain(said);
  expect(note).not.toContain('secret');
  const same = { '/home/me/.npmrc': 'registry=https://registry.test/\n' };
  expect(plan('npm', { place: placeOf(same) }).notes).toEqual([]);
});

/** Whose files of a project are where. */
const projects: readonly (readonly [string, Record<string, string>, string])[] = [
  ['npm', {}, '/project/.npmrc'],
  ['pnpm', {}, '/project/.npmrc'],
  ['yarn', { '/project/.yarnrc.yml': '' }, '/project/.yarnrc.yml'],
  ['yarn', { '/project/yarn.lock': '# yarn lockfile v1\n' }, '/project/.yarnrc'],
  ['pip', { '/project/.venv/pyvenv.cfg': '' }, '/project/.venv/pip.conf'],
  ['uv', {}, '/project/uv.toml'],
  ['uv', { '/project/pyproject.toml': '[project]\nname = "x"\n' }, '/project/pyproject.toml'],
  ['cargo', {}, '/project/.cargo/config.toml'],
  ['bundler', {}, '/project/.bundle/config'],
  ['nuget', {}, '/project/nuget.config'],
  ['composer', { '/project/composer.json': '{"repositories": []}' }, '/project/composer.json'],
];

test.each(projects)('%s in a project that has %j', (tool, files, path) => {
  const made = written(plan(tool, { scope: 'project', place: placeOf(files) }));
  expect(Object.keys(made)).toEqual([path]);
  expect(made[path]).toContain(http);
});

test('the default index of a project goes into the table of uv', () => {
  const manifest = '[project]\nname = "x"\n\n[tool.uv]\npackage = false\n\n[tool.ruff]\n';
  const place = placeOf({ '/project/pyproject.toml': manifest });
  expect(written(plan('uv', { scope: 'project', place }))['/project/pyproject.toml']).toBe(
    manifest.replace('package = false\n', `package = false\nindex-url = "${http}/pypi/simple"\n`),
  );
});

describe('what a tool does not have is refused with what is right', () => {
  test.each([
    ['go', { scope: 'project' }, 'GOPROXY'],
    ['maven', { scope: 'project' }, 'pom.xml'],
    ['gradle', { scope: 'project' }, 'settings.gradle'],
    ['gem', { scope: 'project' }, 'bundler'],
    ['apt', { scope: 'project' }, 'leave out --scope'],
    ['docker', { scope: 'project' }, 'leave out --scope'],
    ['containerd', { scope: 'project' }, 'leave out --scope'],
    ['pip', { scope: 'project' }, 'virtual environment'],
    ['composer', { scope: 'project' }, 'composer.json'],
    ['pnpm', { mode: 'proxy', scope: 'project', trust }, 'pnpm-workspace.yaml'],
    ['containerd', { mode: 'proxy' }, 'leave out --proxy'],
    ['npm', { mode: 'proxy' }, 'millrace ca create'],
    ['docker', { mode: 'proxy' }, 'millrace ca create'],
    ['apt', { mode: 'registry' }, '--proxy'],
  ] as const)('%s with %j', (tool, change, said) => {
    expect(() => plan(tool, change)).toThrow(said);
  });

  test.each([['maven'], ['gradle'], ['gem'], ['bundler']])(
    'a proxy under TLS, which %s does not speak to',
    (tool) => {
      expect(() => plan(tool, { mode: 'proxy', trust, gateway: secure })).toThrow('--url http://');
    },
  );

  test('a mount that the gateway does not have', () => {
    for (const { id } of tools.filter((tool) => tool.ecosystem !== 'apt')) {
      expect(() => plan(id, { gateway: { ...gateway, mounts: [] } })).toThrow('mount');
    }
  });

  test('docker, when the gateway has a path', () => {
    const below = { ...gateway, url: 'https://cache.example.com/millrace' };
    expect(() => plan('docker', { gateway: below })).toThrow('without a path');
  });

  test('a tool that nobody knows', () => {
    expect(() => toolNamed('yran')).toThrow('Did you mean yarn?');
  });
});
