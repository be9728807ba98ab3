import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { run } from './run.ts';

export interface Crate {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A small sparse registry on loopback, its crates on another port. */
export class CargoRegistry {
  readonly index: HttpOrigin;
  readonly crates: HttpOrigin;

  constructor(index: HttpOrigin, crates: HttpOrigin) {
    this.index = index;
    this.crates = crates;
    const config = JSON.stringify({ dl: `${crates.url}/crates`, api: 'https://registry.test' });
    index.serve('/config.json', { body: config, headers: fresh });
  }

  /** Serves these bytes as the crate, whatever the index says of it. */
  serve({ name, version }: Crate, body: Buffer): void {
    this.crates.serve(`/crates/${name}/${version}/download`, { body });
  }

  publish(crate: Crate, body: Buffer): void {
    const { name, version, dependencies = {} } = crate;
    this.serve(crate, body);
    const deps = Object.entries(dependencies).map(([dependency, req]) => ({
      name: dependency,
      req,
      features: [],
      optional: false,
      default_features: true,
      target: null,
      kind: 'normal',
    }));
    const cksum = createHash('sha256').update(body).digest('hex');
    const line = { name, vers: version, deps, cksum, features: {}, yanked: false };
    const path = `/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`;
    this.index.serve(path, { body: `${JSON.stringify(line)}\n`, headers: fresh });
  }

  async close(): Promise<void> {
    await Promise.all([this.index.close(), this.crates.close()]);
  }
}

const fresh = { 'Cache-Control': 'public, max-age=600' };

/** The `.crate` file of a library whose function says its name and version. */
export async function packed({ name, version, dependencies = {} }: Crate): Promise<Buffer> {
  const folder = await temporaryFolder();
  const root = `${name}-${version}`;
  await mkdir(join(folder, root, 'src'), { recursive: true });
  const manifest = [
    '[package]',
    `name = "${name}"`,
    `version = "${version}"`,
    'edition = "2018"',
    '[dependencies]',
    ...Object.entries(dependencies).map(([dependency, req]) => `${dependency} = "${req}"`),
  ];
  await writeFile(join(folder, root, 'Cargo.toml'), `${manifest.join('\n')}\n`);
  await writeFile(
    join(folder, root, 'src/lib.rs'),
    `pub fn name() -> &'static str { "${name} ${version}" }\n`,
  );
  await run('tar', ['-czf', 'packed.crate', root], { cwd: folder });
  return readFile(join(folder, 'packed.crate'));
}

/** A registry of the running test with these crates. */
export async function cargoRegistry(
  crates: readonly Crate[],
  origin = httpOrigin,
): Promise<CargoRegistry> {
  const registry = new CargoRegistry(await origin(), await origin());
  for (const crate of crates) registry.publish(crate, await packed(crate));
  return registry;
}
