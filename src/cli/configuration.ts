import { type Command, Option } from 'commander';
import { settings } from '../config/declarations.ts';
import { type LoadOptions, type LoadResult, loadConfig } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import { settingsOf } from '../config/setting.ts';
import type { CliIo } from './io.ts';

/** Where a command's configuration comes from; it can be read again. */
export type ConfigSource = Pick<LoadOptions, 'file' | 'flags'>;

/** Long names of the flags that stand for a setting: a command has others of its own. */
const settingFlags: ReadonlySet<string> = new Set(
  settingsOf(settings).flatMap(({ setting }) => setting.flag?.split(' ', 1) ?? []),
);

/** Adds `--config` and the flag of each setting that has one. */
export function addConfigOptions(command: Command): Command {
  command.option('-c, --config <file>', 'the YAML file (also: MILLRACE_CONFIG)');
  for (const { setting } of settingsOf(settings)) {
    if (setting.flag === undefined) continue;
    command.addOption(new Option(setting.flag, `${setting.doc} Default: ${setting.default}`));
  }
  return command;
}

/** What `addConfigOptions` made of the command line. */
export function configSource(command: Command): ConfigSource {
  const values: Readonly<Record<string, unknown>> = command.opts();
  const flags: Record<string, string> = {};
  for (const option of command.options) {
    const value = values[option.attributeName()];
    if (option.long && settingFlags.has(option.long) && typeof value === 'string') {
      flags[option.long] = value;
    }
  }
  const file = values.config;
  return typeof file === 'string' ? { file, flags } : { flags };
}

/** Loads, or loads anew; the host is asked each time. */
export async function load(source: ConfigSource, io: CliIo): Promise<LoadResult> {
  const hostDefaults = await io.hostDefaults();
  return loadConfig({ ...source, env: io.env, cwd: io.cwd, hostDefaults });
}

/** All problems to stderr, one a line, and their number. */
export function printProblems(problems: readonly Problem[], io: CliIo): void {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = [...problems.map(formatProblem), `${count} in the configuration`];
  io.stderr.write(`${lines.join('\n')}\n`);
}

/** Warnings to stderr, one a line. */
export function printWarnings(warnings: readonly string[], io: CliIo): void {
  for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
}
