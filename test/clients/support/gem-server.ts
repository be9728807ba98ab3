import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { run } from './run.ts';

export interface Gem {
  readonly name: string;
  readonly version: string;
  /** Requirements by name. */
  readonly requires?: Readonly<Record<string, string>>;
}

export interface PackedGem {
  /** The `.gem` file. */
  readonly body: Buffer;
  /** Marshalled and deflated, as gem asks for it. */
  readonly specification: Buffer;
}

const fresh = { 'Cache-Control': 'public, max-age=600' };
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** A small gem server on loopback with the compact index. */
export class GemServer {
  readonly origin: HttpOrigin;
  #versions = 'created_at: 2026-01-01T00:00:00Z\n---\n';

  constructor(origin: HttpOrigin) {
    this.origin = origin;
    this.#index('/', 'a gem server\n');
  }

  publish(gem: Gem, { body, specification }: PackedGem): void {
    const { name, version, requires = {} } = gem;
    this.serve(gem, body);
    const path = `/quick/Marshal.4.8/${name}-${version}.gemspec.rz`;
    this.origin.serve(path, { body: specification });
    const dependencies = Object.entries(requires).map(([each, need]) => `${each}:${need}`);
    const checksum = createHash('sha256').update(body).digest('hex');
    const info = `---\n${version} ${dependencies.join(',')}|checksum:${checksum}\n`;
    this.#versions += `${name} ${version} ${md5(info)}\n`;
    this.#index(`/info/${name}`, info);
    this.#index('/versions', this.#versions);
  }

  /** Serves these bytes as the gem, whatever the index says of it. */
  serve(gem: Gem, body: Buffer): void {
    this.origin.serve(`/gems/${gem.name}-${gem.version}.gem`, { body });
  }

  /** Paths asked for so far. */
  targets(): string[] {
    return this.origin.requests.map(({ target }) => target);
  }

  #index(path: string, body: string): void {
    this.origin.serve(path, { body, etag: `"${md5(body)}"`, headers: fresh });
  }
}

/** A library whose constant says its name and version. */
export async function packed({ name, version, requires = {} }: Gem): Promise<PackedGem> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, `${name}.rb`), `NAME = "${name} ${version}"\n`);
  const dependencies = Object.entries(requires).map(
    ([each, need]) => `s.add_dependency "${each}", "${need}"`,
  );
  await writeFile(
    join(folder, `${name}.gemspec`),
    `Gem::Specification.new do |s|
  s.name = "${name}"
  s.version = "${version}"
  s.summary = "${name}"
  s.authors = ["nobody"]
  s.files = ["${name}.rb"]
  s.require_paths = ["."]
  ${dependencies.join('\n  ')}
end
`,
  );
  const env = { HOME: folder, SOURCE_DATE_EPOCH: '1767225600' };
  const build = `require "rubygems/package"; require "zlib"
spec = Gem::Specification.load("${name}.gemspec")
Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) { Gem::Package.build(spec, true) }
File.binwrite("spec.rz", Zlib::Deflate.deflate(Marshal.dump(spec)))`;
  await run('ruby', ['-e', build], { cwd: folder, env });
  return {
    body: await readFile(join(folder, `${name}-${version}.gem`)),
    specification: await readFile(join(folder, 'spec.rz')),
  };
}

/** A server of the running test with these gems. */
export async function gemServer(
  gems: readonly Gem[],
  origin: () => Promise<HttpOrigin> = httpOrigin,
): Promise<GemServer> {
  const server = new GemServer(await origin());
  for (const gem of gems) server.publish(gem, await packed(gem));
  return server;
}
