import { createHash } from 'node:crypto';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { zip } from './zip.ts';

export interface MavenModule {
  /** Without it `org.example`. */
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  /** Versions by name, of the same group. */
  readonly requires?: Readonly<Record<string, string>>;
  /** Of a snapshot: its build, such as `20260131.235959-1`. */
  readonly build?: string;
}

const ownGroup = 'org.example';

/** A small Maven repository on loopback, in the default layout, with SHA-1 and MD5 of each file. */
export class MavenRepository {
  readonly origin: HttpOrigin;
  readonly #versions = new Map<string, string[]>();

  constructor(origin: HttpOrigin) {
    this.origin = origin;
  }

  publish(module: MavenModule): void {
    const { name, version, build } = module;
    for (const [extension, body] of Object.entries(filesOf(module))) {
      this.#withChecksums(`${pathOf(module)}.${extension}`, body);
    }
    const versions = [...(this.#versions.get(name) ?? []), version];
    this.#versions.set(name, versions);
    const list = versions.map((each) => `<version>${each}</version>`).join('');
    this.#withChecksums(
      `${folderOf(module)}/maven-metadata.xml`,
      metadata(name, `<versions>${list}</versions>`),
    );
    if (build === undefined) return;
    const [timestamp, number] = build.split('-');
    const snapshot = `<timestamp>${timestamp}</timestamp><buildNumber>${number}</buildNumber>`;
    this.#withChecksums(
      `${folderOf(module)}/${version}/maven-metadata.xml`,
      metadata(name, `<snapshot>${snapshot}</snapshot>`, version),
    );
  }

  /** Serves these bytes as the module's jar, whatever its checksums say. */
  serveJar(module: MavenModule, body: Uint8Array): void {
    this.origin.serve(`${pathOf(module)}.jar`, { body });
  }

  /** Paths asked for so far. */
  targets(): string[] {
    return this.origin.requests.map(({ target }) => target);
  }

  #withChecksums(path: string, body: string | Uint8Array): void {
    this.origin.serve(path, { body });
    for (const algorithm of ['sha1', 'md5']) {
      const hex = createHash(algorithm).update(body).digest('hex');
      this.origin.serve(`${path}.${algorithm}`, { body: hex });
    }
  }
}

/** The module's jar: a library without classes. */
export function jarOf(module: MavenModule): Buffer {
  const { name, version, build = '' } = module;
  return zip({
    'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\n',
    'META-INF/name.txt': `${name} ${version} ${build}\n`,
  });
}

/** The path of the module's files, without their extension. */
export function pathOf(module: MavenModule): string {
  const { name, version, build } = module;
  const named = build === undefined ? version : version.replace('SNAPSHOT', build);
  return `${folderOf(module)}/${version}/${name}-${named}`;
}

function folderOf({ group = ownGroup, name }: MavenModule): string {
  return `/${group.replaceAll('.', '/')}/${name}`;
}

/** An element that names a module. */
export function coordinates(name: string, version: string, group = ownGroup): string {
  return `<groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>`;
}

function filesOf(module: MavenModule): Readonly<Record<string, string | Uint8Array>> {
  const { group, name, version, requires = {} } = module;
  const dependencies = Object.entries(requires)
    .map(([each, at]) => `<dependency>${coordinates(each, at)}</dependency>`)
    .join('');
  const pom = (packaging: string) =>
    `<project><modelVersion>4.0.0</modelVersion>${coordinates(name, version, group)}<packaging>${packaging}</packaging><dependencies>${dependencies}</dependencies></project>`;
  return name === 'parent' ? { pom: pom('pom') } : { pom: pom('jar'), jar: jarOf(module) };
}

function metadata(name: string, versioning: string, version?: string): string {
  const own = version === undefined ? '' : `<version>${version}</version>`;
  return `<metadata><artifactId>${name}</artifactId>${own}<versioning>${versioning}<lastUpdated>20260101000000</lastUpdated></versioning></metadata>`;
}

/** A repository of the running test with these modules. */
export async function mavenRepository(
  modules: readonly MavenModule[],
  origin: () => Promise<HttpOrigin> = httpOrigin,
): Promise<MavenRepository> {
  const repository = new MavenRepository(await origin());
  for (const module of modules) repository.publish(module);
  return repository;
}
