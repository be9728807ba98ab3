import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import type { Authority } from '../tls/authority.ts';
import {
  addConfigOptions,
  configSource,
  load,
  printProblems,
  printWarnings,
} from './configuration.ts';
import { type CliIo, exitCode } from './io.ts';

/** A command of `millrace ca`: it finds the authority by the configuration that `serve` would have. */
export function addCaCommand(
  command: Command,
  io: CliIo,
  finish: (code: number) => void,
  action: (config: Config) => Promise<number>,
): void {
  addConfigOptions(command).action(async () => {
    const result = await load(configSource(command), io);
    if (!result.ok) {
      printProblems(result.problems, io);
      return finish(exitCode.usage);
    }
    printWarnings(result.warnings, io);
    try {
      finish(await action(result.config));
    } catch (error) {
      io.stderr.write(`millrace: ${error instanceof Error ? error.message : String(error)}\n`);
      finish(exitCode.failure);
    }
  });
}

/** The authority of the configuration's data folder; says so where there is none. */
export async function existingAuthority(config: Config): Promise<Authority> {
  // Only here: the other commands start without what reads certificates.
  const { readAuthority } = await import('../tls/authority-files.ts');
  const authority = await readAuthority(config.data);
  if (authority !== undefined) return authority;
  throw new TypeError(`there is no authority in ${config.data}: make one with millrace ca create`);
}

/** What an authority is, for people. */
export function describeAuthority(authority: Authority): string {
  const { subject, fingerprint, notAfter, permitted } = authority;
  const hosts = permitted?.names.join(', ') ?? 'any host';
  return [
    `subject      ${subject}`,
    `fingerprint  ${fingerprint} (SHA-256)`,
    `valid until  ${new Date(notAfter).toISOString().slice(0, 10)}`,
    `may sign for ${hosts}${permitted === undefined ? '' : ', names below them, and addresses it was made for'}`,
    '',
  ].join('\n');
}
