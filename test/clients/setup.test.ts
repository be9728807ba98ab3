import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HttpOrigin, httpOrigin, httpsOrigin } from '../support/http-origin.ts';
import { cargoRegistry } from './support/cargo-registry.ts';
import { composerRepository } from './support/composer-repository.ts';
import { gatewayProcess } from './support/gateway-process.ts';
import { gemServer } from './support/gem-server.ts';
import { GoProxy } from './support/go-proxy.ts';
import { intercepting } from './support/intercepting.ts';
import { skipUnisolated } from './support/isolated.ts';
import { jsClients, skipWithoutJsTools } from './support/js-clients.ts';
import { coordinates, mavenRepository } from './support/maven-repository.ts';
import { isNamed, namedHost } from './support/named.ts';
import { npmRegistry } from './support/npm-registry.ts';
import { pythonIndex } from './support/python-index.ts';
import { type SetUpUser, setUpUser } from './support/set-up-user.ts';

interface Upstream {
  readonly url: string;
  /** Where its files are. */
  readonly hosts?: readonly string[];
}

interface Case {
  readonly tool: string;
  readonly command: string;
  readonly ecosystem: string;
  /** What the user has configured before, in the home. */
  readonly configured: (url: string) => Readonly<Record<string, string>>;
  readonly upstream: (origin: () => Promise<HttpOrigin>) => Promise<Upstream>;
  /** Installs `nail`, which by itself the tool would ask `url` for, or a public index. */
  readonly install: (user: SetUpUser, url: string) => Promise<void>;
}

const nail = { name: 'nail', version: '1.0.0' };

const npm: Case = {
  tool: 'npm',
  command: 'npm',
  ecosystem: 'npm',
  configured: (url) => ({
    '.npmrc': `; mine\nregistry = ${url}/\nfund=false\naudit=false\nupdate-notifier=false\n//x.test/:_authToken=secret`,
  }),
  async upstream(origin) {
    return (await npmRegistry([nail], { origin: await origin() })).origin;
  },
  async install(user) {
    await user.write({ 'package.json': '{"name": "p", "version": "1.0.0"}' });
    await user.run('npm', ['install', 'nail', '--fetch-retries=0']);
    expect(existsSync(join(user.project, 'node_modules/nail'))).toBe(true);
  },
};

const pip: Case = {
  tool: 'pip',
  command: 'pip3',
  ecosystem: 'pypi',
  configured: (url) => ({
    '.config/pip/pip.conf': `[global]\n# mine\nindex-url = ${url}/simple/\ndisable-pip-version-check = true\nroot-user-action = ignore\n`,
  }),
  async upstream(origin) {
    const index = await pythonIndex([{ name: 'nail', version: '1.0' }], origin);
    return { url: index.pages.url, hosts: [new URL(index.files.url).host] };
  },
  async install(user) {
    const target = join(user.project, 'installed');
    await user.run('pip3', ['install', '--target', target, '--retries', '0', 'nail']);
    expect(await readdir(target)).toContain('nail.py');
  },
};

const cargo: Case = {
  tool: 'cargo',
  command: 'cargo',
  ecosystem: 'cargo',
  configured: (url) => ({
    '.cargo/config.toml': `[source.crates-io]\nreplace-with = "own" # mine\n\n[source.own]\nregistry = "sparse+${url}/"\n\n[net]\nretry = 0\n`,
  }),
  async upstream(origin) {
    const registry = await cargoRegistry([nail], origin);
    return { url: registry.index.url, hosts: [new URL(registry.crates.url).host] };
  },
  async install(user) {
    const manifest = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2018"\n';
    await user.write({
      'Cargo.toml': `${manifest}[dependencies]\nnail = "1"\n`,
      'src/lib.rs': '',
    });
    await user.run('cargo', ['fetch'], rustup());
    const lockfile = await readFile(join(user.project, 'Cargo.lock'), 'utf8');
    expect(lockfile).toContain('name = "nail"');
  },
};

const go: Case = {
  tool: 'go',
  command: 'go',
  ecosystem: 'go',
  configured: (url) => ({
    // The cache is read-only otherwise, and could not be removed.
    '.config/go/env': `GOFLAGS=-modcacherw\nGOPROXY=${url}\nGOSUMDB=off\n`,
  }),
  async upstream(origin) {
    const proxy = new GoProxy(await origin());
    proxy.add({ path: 'example.com/nail', version: 'v1.0.0' });
    return proxy.origin;
  },
  async install(user) {
    await user.write({ 'go.mod': 'module example.org/app\n\ngo 1.16\n' });
    const env = { GOTOOLCHAIN: 'local' };
    await user.run('go', ['mod', 'download', 'example.com/nail@v1.0.0'], env);
    expect(await readdir(join(user.home, 'go/pkg/mod/example.com'))).toEqual(['nail@v1.0.0']);
  },
};

const maven: Case = {
  tool: 'maven',
  command: 'mvn',
  ecosystem: 'maven',
  configured: (url) => ({
    '.m2/settings.xml': `<settings>
  <!-- mine -->
  <profiles><profile><id>own</id>
    <repositories><repository><id>central</id><url>${url}</url></repository></repositories>
    <pluginRepositories><pluginRepository><id>central</id><url>${url}</url></pluginRepository></pluginRepositories>
  </profile></profiles>
  <activeProfiles><activeProfile>own</activeProfile></activeProfiles>
</settings>
`,
  }),
  async upstream(origin) {
    const utils = { group: 'org.codehaus.plexus', name: 'plexus-utils', version: '1.1' };
    const modules = [{ name: 'nail', version: '1.0' }, utils];
    return (await mavenRepository(modules, origin)).origin;
  },
  async install(user) {
    await user.write({
      'pom.xml': `<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId>
<artifactId>app</artifactId><version>1.0</version><packaging>pom</packaging>
<build><extensions><extension>${coordinates('nail', '1.0')}</extension></extensions></build></project>`,
    });
    // Java takes the home of the account, whatever HOME says.
    const options = `-Duser.home=${user.home} -XX:TieredStopAtLevel=1 -Xmx128m`;
    await user.run('mvn', ['-B', 'validate'], { MAVEN_OPTS: options });
    const jar = join(user.home, '.m2/repository/org/example/nail/1.0/nail-1.0.jar');
    expect(existsSync(jar)).toBe(true);
  },
};

const gradle: Case = {
  ...maven,
  tool: 'gradle',
  command: 'gradle',
  configured: () => ({
    // Java asks no proxy for localhost by itself, where the upstream of this test is.
    '.gradle/gradle.properties': '# mine\nsystemProp.http.nonProxyHosts=\n',
    '.gradle/init.d/own.gradle': 'allprojects { ext.own = true }\n',
  }),
  async install(user, url) {
    const own = url.startsWith('https:') ? `maven { url '${url}' }` : 'mavenCentral()';
    await user.write({
      'settings.gradle': '',
      'build.gradle': `repositories { ${own} }
configurations { tools }
dependencies { tools 'org.example:nail:1.0' }
task fetch(type: Copy) { from configurations.tools; into 'out' }
`,
    });
    // As with Maven.
    const options = `-Duser.home=${user.home} -XX:TieredStopAtLevel=1 -Xmx128m`;
    await user.run('gradle', ['--no-daemon', '--quiet', 'fetch'], { GRADLE_OPTS: options });
    expect(await readdir(join(user.project, 'out'))).toEqual(['nail-1.0.jar']);
  },
};

const gem: Case = {
  tool: 'gem',
  command: 'gem',
  ecosystem: 'gems',
  configured: (url) => ({
    '.gemrc': `---\n# mine\n:verbose: true\n:sources:\n- ${url.startsWith('https:') ? `${url}/` : 'https://rubygems.org/'}\ngem: --no-document\n`,
  }),
  async upstream(origin) {
    return (await gemServer([nail], origin)).origin;
  },
  async install(user) {
    const home = join(user.home, 'gems');
    await user.run('gem', ['install', 'nail'], { GEM_HOME: home });
    expect(await readdir(join(home, 'gems'))).toEqual(['nail-1.0.0']);
  },
};

const bundler: Case = {
  tool: 'bundler',
  command: 'bundle',
  ecosystem: 'gems',
  configured: () => ({ '.bundle/config': '---\nBUNDLE_RETRY: "0"\n' }),
  upstream: gem.upstream,
  async install(user, url) {
    const source = url.startsWith('https:') ? url : 'https://rubygems.org';
    await user.write({ Gemfile: `source "${source}"\ngem "nail"\n` });
    const env = { BUNDLE_PATH: join(user.home, 'gems'), BUNDLE_SILENCE_ROOT_WARNING: '1' };
    await user.run('bundle', ['install'], env);
    const lockfile = await readFile(join(user.project, 'Gemfile.lock'), 'utf8');
    expect(lockfile).toContain('nail (1.0.0)');
    expect(lockfile).toContain(source);
  },
};

const composer: Case = {
  tool: 'composer',
  command: 'composer',
  ecosystem: 'composer',
  configured: (url) => ({
    '.config/composer/config.json': url.startsWith('https:')
      ? `{"repositories": {"packagist.org": {"type": "composer", "url": "${url}"}}}`
      : '{\n  "config": { "process-timeout": 60 }\n}\n',
  }),
  async upstream(origin) {
    const { index, archives } = await composerRepository(
      [{ name: 'acme/nail', version: '1.0.0' }],
      origin,
    );
    return { url: index.url, hosts: [new URL(archives.url).host] };
  },
  async install(user) {
    await user.write({ 'composer.json': '{"require": {"acme/nail": "^1.0"}}' });
    const env = { COMPOSER_ALLOW_SUPERUSER: '1', COMPOSER_NO_AUDIT: '1' };
    await user.run('composer', ['install', '--no-interaction', '--no-progress'], env);
    expect(await readFile(join(user.project, 'vendor/acme/nail/name.txt'), 'utf8')).toBe(
      'acme/nail 1.0.0\n',
    );
  },
};

/** pnpm and Yarn, which `.ci/run` installs. */
const scripts: readonly Case[] = jsClients.map(({ id, program }) => {
  const isPnpm = id.startsWith('pnpm');
  return {
    ...npm,
    tool: isPnpm ? 'pnpm' : 'yarn',
    command: id,
    configured: (url): Readonly<Record<string, string>> =>
      isPnpm
        ? {
            '.config/pnpm/rc': `; mine\nregistry=${url}/\n`,
            '.config/pnpm/auth.ini': `registry=${url}/\n`,
          }
        : {
            '.yarnrc': `# mine\nregistry "${url}/"\n`,
            '.yarnrc.yml': `nodeLinker: node-modules # mine\nnpmRegistryServer: ${url}\n`,
          },
    async install(user) {
      const manifest = '{"name": "p", "version": "1.0.0", "dependencies": {"nail": "^1.0.0"}}';
      await user.write({ 'package.json': manifest, 'yarn.lock': '' });
      const args = isPnpm ? ['install', '--no-frozen-lockfile'] : ['install'];
      // No guess that this is somebody's CI, where Yarn would not write a lockfile.
      await user.run(process.execPath, [program, ...args], { YARN_ENABLE_TELEMETRY: '0' });
      expect(existsSync(join(user.project, 'node_modules/nail'))).toBe(true);
    },
  };
});

/** Set up, the tool works; doctor is content; undone, every file is as it was. */
async function expectRoundTrip(
  each: Case,
  user: SetUpUser,
  upstream: Upstream,
  flag: '--registry' | '--proxy',
): Promise<void> {
  const configured = each.configured(upstream.url);
  await user.configure(configured);
  const own = Object.keys(configured).map((name) => join(user.home, name));
  const before = await user.states(own);
  const changed = await user.setUp(each.tool, flag);
  await each.install(user, upstream.url);
  expect(await user.doctor(each.tool)).toContain('pointed at it');
  await user.undo(each.tool);
  expect(await user.states(own)).toEqual(before);
  // What setup made besides is gone.
  const made = changed.filter((path) => !own.includes(path));
  expect(Object.values(await user.states(made)).filter((state) => state !== undefined)).toEqual([]);
}

function describeSetup(each: Case, isSkipped: boolean): void {
  const { ecosystem, tool } = each;

  test.skipIf(isSkipped)(
    'lets it install through the mount, and undo leaves its files as they were',
    async () => {
      const upstream = await each.upstream(httpOrigin);
      const mount = { path: `/${ecosystem}`, ecosystem, upstreams: [{ url: upstream.url }] };
      const gateway = await gatewayProcess({ mounts: [{ ...mount, hosts: upstream.hosts ?? [] }] });
      const user = await setUpUser(gateway.url);
      await expectRoundTrip(each, user, upstream, '--registry');
    },
  );

  test.skipIf(isSkipped || (tool === 'go' && !isNamed))(
    '--proxy lets it install by interception, and undo leaves its files as they were',
    async () => {
      // Go's clients use no proxy for localhost.
      const named = tool === 'go' ? await namedHost() : undefined;
      const upstream = await each.upstream(named?.origin ?? httpsOrigin);
      const { gateway, ca } = named
        ? { gateway: await named.gateway(ecosystem, upstream.url), ca: named.ca }
        : await intercepting(ecosystem, upstream.url, upstream.hosts);
      const user = await setUpUser(gateway.url, ca);
      await expectRoundTrip(each, user, upstream, '--proxy');
    },
  );
}

const cases: readonly Case[] = [npm, pip, cargo, go, maven, gradle, gem, bundler, composer];

describe.each(cases)('millrace setup $tool', (each) => {
  describeSetup(each, skipUnisolated(each.command));
});

describe.each(scripts)('millrace setup $tool, for $command', (each) => {
  describeSetup(each, skipUnisolated() || skipWithoutJsTools());
});

/** A rustup, where Cargo comes from one, looks for its toolchains in the user's real home. */
function rustup(): Record<string, string> {
  const home = process.env.RUSTUP_HOME ?? join(process.env.HOME ?? '/', '.rustup');
  return existsSync(home) ? { RUSTUP_HOME: home } : {};
}
