import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { httpsOrigin } from '../support/http-origin.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayOf } from './support/gateway-process.ts';
import { type Intercepting, intercepting } from './support/intercepting.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { jarOf, type MavenModule, mavenRepository, pathOf } from './support/maven-repository.ts';
import { type Finished, run } from './support/run.ts';

const nail = { name: 'nail', version: '1.0' };
const hammer: MavenModule = { name: 'hammer', version: '1.2', requires: { nail: '1.0' } };
const jars = [nail, hammer];

/** A project that copies the newest `hammer` and what it requires, by a Gradle without any cache. */
class GradleProject {
  readonly #folder: string;
  readonly #network: IsolatedNetwork;
  /** Properties of Java. */
  readonly #properties: readonly string[];

  constructor(folder: string, network: IsolatedNetwork, properties: readonly string[] = []) {
    this.#folder = folder;
    this.#network = network;
    this.#properties = properties;
  }

  fetch(): Promise<Finished> {
    const env = {
      GRADLE_USER_HOME: join(this.#folder, 'gradle'),
      GRADLE_OPTS: `-XX:TieredStopAtLevel=1 -Xmx128m -Duser.home=${this.#folder}`,
    };
    const args = ['--no-daemon', '--quiet', ...this.#properties, 'fetch'];
    return this.#network.attempt('gradle', args, { cwd: this.#folder, env });
  }

  /** What it copied of a module. */
  copied({ name, version }: MavenModule): Promise<Buffer> {
    return readFile(join(this.#folder, 'out', `${name}-${version}.jar`));
  }
}

async function project(
  gateway: GatewayProcess,
  url = `${gateway.url}/maven`,
  properties: readonly string[] = [],
): Promise<GradleProject> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'settings.gradle'), '');
  await writeFile(
    join(folder, 'build.gradle'),
    `repositories { maven { url '${url}' } }
configurations { tools }
dependencies { tools 'org.example:hammer:1.+' }
task fetch(type: Copy) { from configurations.tools; into 'out' }
`,
  );
  return new GradleProject(folder, await isolatedNetwork(gateway.url), properties);
}

/** The same for one that knows the repository by its own URL, and the gateway as its proxy. */
async function proxied({ gateway, ca }: Intercepting, url: string): Promise<GradleProject> {
  const { hostname, port } = new URL(gateway.url);
  const store = join(await temporaryFolder(), 'trusted.p12');
  const password = 'changeit';
  const into = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', password];
  await run('keytool', ['-importcert', '-noprompt', '-alias', 'millrace', '-file', ca, ...into]);
  return project(gateway, url, [
    `-Dhttps.proxyHost=${hostname}`,
    `-Dhttps.proxyPort=${port}`,
    // Java uses no proxy for localhost otherwise.
    '-Dhttp.nonProxyHosts=',
    `-Djavax.net.ssl.trustStore=${store}`,
    `-Djavax.net.ssl.trustStorePassword=${password}`,
  ]);
}

async function expectFetched(one: GradleProject): Promise<void> {
  const { code, output, errors } = await one.fetch();
  expect({ code, said: output + errors }).toMatchObject({ code: 0 });
  for (const module of jars) expect(await one.copied(module)).toEqual(jarOf(module));
}

const row = client('gradle', { lockfile: 'that of Debian has none' });

describe.skipIf(skipUnisolated('gradle', 'keytool'))('gradle', row, () => {
  test(
    'fetches, and again from nothing while the upstream is switched off',
    shows('cold', 'warm'),
    async () => {
      const repository = await mavenRepository(jars);
      const gateway = await gatewayOf('maven', repository.origin);
      await expectFetched(await project(gateway));
      const targets = repository.targets();
      expect(new Set(targets).size).toBe(targets.length);
      await repository.origin.close();
      await expectFetched(await project(gateway));
      await gateway.stop();
    },
  );

  test(
    'costs a conditional request for the list of versions once all is stale',
    shows('stale'),
    async () => {
      const repository = await mavenRepository(jars, agedOrigin);
      const gateway = await gatewayOf('maven', repository.origin);
      await expectFetched(await project(gateway));
      const cold = repository.origin.requests.length;
      await expectFetched(await project(gateway));
      const list = '/org/example/hammer/maven-metadata.xml';
      expectValidated(repository.origin.requests.slice(cold), [list]);
    },
  );

  test(
    'is refused a jar that was corrupted upstream, and gets the right one afterwards',
    shows('corrupted'),
    async () => {
      const repository = await mavenRepository(jars);
      const gateway = await gatewayOf('maven', repository.origin);
      repository.serveJar(nail, jarOf({ ...nail, version: '6.6' }));
      expect((await (await project(gateway)).fetch()).code).not.toBe(0);
      expect(gateway.log).toContainEqual(
        expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
      );
      repository.serveJar(nail, jarOf(nail));
      await expectFetched(await project(gateway));
    },
  );

  test(
    'of several at once each gets all, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const repository = await mavenRepository(jars);
      const gateway = await gatewayOf('maven', repository.origin);
      const projects = await Promise.all([project(gateway), project(gateway), project(gateway)]);
      await Promise.all(projects.map(expectFetched));
      const files = repository.targets().filter((target) => !target.includes('maven-metadata'));
      expect(files).toEqual(expect.arrayContaining(jars.map((each) => `${pathOf(each)}.jar`)));
      expect(new Set(files).size).toBe(files.length);
    },
  );

  test(
    'through a proxy fetches, and again from nothing while the upstream is off',
    shows('HTTPS_PROXY'),
    async () => {
      const repository = await mavenRepository(jars, httpsOrigin);
      const { url } = repository.origin;
      const through = await intercepting('maven', url);
      await expectFetched(await proxied(through, url));
      await repository.origin.close();
      await expectFetched(await proxied(through, url));
    },
  );
});
