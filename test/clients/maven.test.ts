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
import {
  coordinates,
  jarOf,
  type MavenModule,
  mavenRepository,
  pathOf,
} from './support/maven-repository.ts';
import { type Finished, run } from './support/run.ts';

const nail = { name: 'nail', version: '1.0' };
const glue: MavenModule = { name: 'glue', version: '2.0-SNAPSHOT', build: '20260131.235959-1' };
const hammer: MavenModule = {
  name: 'hammer',
  version: '1.2',
  requires: { nail: '1.0', glue: '2.0-SNAPSHOT' },
};
/** Maven gives it to every extension. */
const utils: MavenModule = { group: 'org.codehaus.plexus', name: 'plexus-utils', version: '1.1' };
const parent = { name: 'parent', version: '1.1' };
const modules: readonly MavenModule[] = [parent, nail, glue, hammer, utils];

/**
 * A project whose parent is of the newest version and which has a build extension with dependencies:
 * Maven resolves both before it runs any plugin, and up to `validate` there is none.
 */
class MavenProject {
  readonly #folder: string;
  readonly #network: IsolatedNetwork;
  /** More arguments. */
  readonly #more: readonly string[];

  constructor(folder: string, network: IsolatedNetwork, more: readonly string[] = []) {
    this.#folder = folder;
    this.#network = network;
    this.#more = more;
  }

  resolve(): Promise<Finished> {
    const local = `-Dmaven.repo.local=${join(this.#folder, 'repository')}`;
    const args = ['-B', '-U', '-s', 'settings.xml', local, ...this.#more, 'validate'];
    const env = { HOME: this.#folder, MAVEN_OPTS: '-XX:TieredStopAtLevel=1 -Xmx128m' };
    return this.#network.attempt('mvn', args, { cwd: this.#folder, env });
  }

  /** What the local repository has for a path of the remote one. */
  local(path: string): Promise<Buffer> {
    return readFile(join(this.#folder, 'repository', path));
  }
}

async function project(gateway: GatewayProcess): Promise<MavenProject> {
  const folder = await projectFolder(`${gateway.url}/maven`);
  return new MavenProject(folder, await isolatedNetwork(gateway.url));
}

/** The same for one that knows the repository by its own URL, and the gateway as its proxy. */
async function proxied({ gateway, ca }: Intercepting, url: string): Promise<MavenProject> {
  const { hostname, port } = new URL(gateway.url);
  const proxy = `<active>true</active><protocol>https</protocol><host>${hostname}</host><port>${port}</port>`;
  const folder = await projectFolder(url, `<proxies><proxy>${proxy}</proxy></proxies>`);
  const store = join(folder, 'trusted.p12');
  const password = 'changeit';
  const into = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', password];
  await run('keytool', ['-importcert', '-noprompt', '-alias', 'millrace', '-file', ca, ...into]);
  const trust = [
    `-Djavax.net.ssl.trustStore=${store}`,
    `-Djavax.net.ssl.trustStorePassword=${password}`,
  ];
  return new MavenProject(folder, await isolatedNetwork(gateway.url), trust);
}

async function projectFolder(url: string, settings = ''): Promise<string> {
  const folder = await temporaryFolder();
  const policy = (name: string) =>
    `<${name}><enabled>true</enabled><checksumPolicy>fail</checksumPolicy></${name}>`;
  const repository = `<id>all</id><url>${url}</url>${policy('releases')}${policy('snapshots')}`;
  await writeFile(
    join(folder, 'settings.xml'),
    `<settings>${settings}<mirrors><mirror><id>all</id><mirrorOf>*</mirrorOf><url>${url}</url></mirror></mirrors>
<profiles><profile><id>all</id>
<repositories><repository>${repository}</repository></repositories>
<pluginRepositories><pluginRepository>${repository}</pluginRepository></pluginRepositories>
</profile></profiles><activeProfiles><activeProfile>all</activeProfile></activeProfiles></settings>`,
  );
  await writeFile(
    join(folder, 'pom.xml'),
    `<project><modelVersion>4.0.0</modelVersion>
<parent>${coordinates('parent', '[1.0,2.0)')}<relativePath/></parent>
<artifactId>app</artifactId><version>1.0</version><packaging>pom</packaging>
<build><extensions><extension>${coordinates('hammer', '1.2')}</extension></extensions></build></project>`,
  );
  return folder;
}

function saidBy({ output, errors }: Finished): string {
  return output + errors;
}

const jars = [nail, hammer];

describe.skipIf(skipUnisolated('mvn'))('mvn', client('mvn', { lockfile: 'Maven has none' }), () => {
  test(
    'resolves, and again from an empty repository while the upstream is switched off',
    shows('cold', 'warm'),
    async () => {
      const repository = await mavenRepository(modules);
      const gateway = await gatewayOf('maven', repository.origin);
      const cold = await project(gateway);
      expect(saidBy(await cold.resolve())).toContain('BUILD SUCCESS');
      for (const module of jars) {
        expect(await cold.local(`${pathOf(module)}.jar`)).toEqual(jarOf(module));
      }
      const before = repository.targets();
      // Its checksum was asked for before it was, and not again.
      const path = `${pathOf(nail)}.jar`;
      expect(before.filter((target) => target.startsWith(path))).toEqual([`${path}.sha1`, path]);

      await repository.origin.close();
      const warm = await project(gateway);
      expect(saidBy(await warm.resolve())).toContain('BUILD SUCCESS');
      for (const module of jars) {
        expect(await warm.local(`${pathOf(module)}.jar`)).toEqual(jarOf(module));
      }
      await gateway.stop();
    },
  );

  test('gets the newest build of a snapshot, and asks again for nothing that cannot change', async () => {
    const repository = await mavenRepository(modules);
    const gateway = await gatewayOf('maven', repository.origin);
    expect(saidBy(await (await project(gateway)).resolve())).toContain('BUILD SUCCESS');
    const cold = repository.targets().length;
    const newer = { ...glue, build: '20260201.120000-2' };
    repository.publish(newer);
    const again = await project(gateway);
    expect(saidBy(await again.resolve())).toContain('BUILD SUCCESS');
    const snapshot = `/org/example/glue/2.0-SNAPSHOT/glue-2.0-SNAPSHOT.jar`;
    expect(await again.local(snapshot)).toEqual(jarOf(newer));
    const since = repository.targets().slice(cold);
    expect(since).toContain(`${pathOf(newer)}.jar`);
    expect(since.filter((target) => !target.includes('maven-metadata'))).toEqual(
      since.filter((target) => target.startsWith(pathOf(newer))),
    );
  });

  test(
    'costs a conditional request a list of versions once all is stale',
    shows('stale'),
    async () => {
      const repository = await mavenRepository(modules, agedOrigin);
      const gateway = await gatewayOf('maven', repository.origin);
      expect(saidBy(await (await project(gateway)).resolve())).toContain('BUILD SUCCESS');
      const cold = repository.origin.requests.length;
      expect(saidBy(await (await project(gateway)).resolve())).toContain('BUILD SUCCESS');
      const lists = ['parent', 'glue/2.0-SNAPSHOT'].map(
        (each) => `/org/example/${each}/maven-metadata.xml`,
      );
      const targets = [...lists, ...lists.map((each) => `${each}.sha1`)];
      expectValidated(repository.origin.requests.slice(cold), targets);
    },
  );

  test(
    'is refused a jar that was corrupted upstream, and gets the right one afterwards',
    shows('corrupted'),
    async () => {
      const repository = await mavenRepository(modules);
      const gateway = await gatewayOf('maven', repository.origin);
      repository.serveJar(nail, jarOf({ ...nail, version: '6.6' }));
      const refused = await (await project(gateway)).resolve();
      expect(refused.code).not.toBe(0);
      expect(gateway.log).toContainEqual(
        expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
      );
      repository.serveJar(nail, jarOf(nail));
      const mended = await project(gateway);
      expect(saidBy(await mended.resolve())).toContain('BUILD SUCCESS');
      expect(await mended.local(`${pathOf(nail)}.jar`)).toEqual(jarOf(nail));
    },
  );

  test(
    'of several at once each gets all, from two repositories, each file once',
    shows('concurrent'),
    async () => {
      const own = await mavenRepository([hammer]);
      const common = await mavenRepository(modules.filter((module) => module !== hammer));
      const gateway = await gatewayOf('maven', own.origin, common.origin);
      const projects = await Promise.all([project(gateway), project(gateway)]);
      const finished = await Promise.all(projects.map((each) => each.resolve()));
      for (const each of finished) expect(saidBy(each)).toContain('BUILD SUCCESS');
      for (const targets of [own.targets(), common.targets()]) {
        const files = targets.filter((target) => !target.includes('maven-metadata'));
        expect(new Set(files).size).toBe(files.length);
      }
    },
  );

  test(
    'through a proxy resolves, and again from nothing while the upstream is off',
    shows('HTTPS_PROXY'),
    async () => {
      const repository = await mavenRepository(modules, httpsOrigin);
      const { url } = repository.origin;
      const through = await intercepting('maven', url);
      expect(saidBy(await (await proxied(through, url)).resolve())).toContain('BUILD SUCCESS');
      await repository.origin.close();
      const warm = await proxied(through, url);
      expect(saidBy(await warm.resolve())).toContain('BUILD SUCCESS');
      expect(await warm.local(`${pathOf(nail)}.jar`)).toEqual(jarOf(nail));
    },
  );
});
