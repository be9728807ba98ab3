import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';

/** The folder of a project that has its crates from this sparse index and tries each download once. */
export async function cargoProject(
  index: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, '.cargo'));
  const config = [
    '[source.crates-io]',
    'replace-with = "here"',
    '[source.here]',
    `registry = "sparse+${index}/"`,
    '[net]',
    'retry = 0',
  ];
  await writeFile(join(folder, '.cargo/config.toml'), config.join('\n'));
  const manifest = ['[package]', 'name = "app"', 'version = "0.1.0"', 'edition = "2018"'];
  const lines = Object.entries(dependencies).map(([name, req]) => `${name} = "${req}"`);
  await writeFile(
    join(folder, 'Cargo.toml'),
    [...manifest, '[dependencies]', ...lines, ''].join('\n'),
  );
  await mkdir(join(folder, 'src'));
  await writeFile(join(folder, 'src/lib.rs'), '');
  return folder;
}

/** A rustup, where Cargo comes from one, looks for its toolchains in the user's real home. */
export function rustup(): Record<string, string> {
  const home = process.env.RUSTUP_HOME ?? join(process.env.HOME ?? '/', '.rustup');
  return existsSync(home) ? { RUSTUP_HOME: home } : {};
}
