import type { Command } from 'commander';
import { showable, showYaml } from '../config/show.ts';
import {
  addConfigOptions,
  configSource,
  load,
  printProblems,
  printWarnings,
} from './configuration.ts';
import { type CliIo, exitCode } from './io.ts';

/** `millrace config show`: what `serve` would use with the same flags, and where it comes from. */
export function addConfigShow(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('show')
    .description('print the effective configuration, secrets redacted')
    .option('--json', 'as JSON, the sources apart');
  addConfigOptions(command).action(async () => {
    const result = await load(configSource(command), io);
    if (!result.ok) {
      printProblems(result.problems, io);
      return finish(exitCode.usage);
    }
    const { config, sources, warnings } = result;
    printWarnings(warnings, io);
    const json = { config: showable(config), sources: Object.fromEntries(sources) };
    io.stdout.write(
      command.opts().json === true
        ? `${JSON.stringify(json, null, 2)}\n`
        : showYaml(config, sources),
    );
    finish(exitCode.ok);
  });
}
