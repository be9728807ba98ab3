import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { printProblems, printWarnings } from './configuration.ts';
import { type CliIo, exitCode } from './io.ts';

/** `millrace config check FILE`: the file alone, without environment or flags. */
export function addConfigCheck(parent: Command, io: CliIo, finish: (code: number) => void): void {
  parent
    .command('check')
    .argument('<file>', 'the YAML file')
    .description('report every problem of a configuration file at once')
    .action(async (file: string) => {
      const hostDefaults = await io.hostDefaults();
      const result = await loadConfig({ file, flags: {}, env: {}, cwd: io.cwd, hostDefaults });
      if (!result.ok) {
        printProblems(result.problems, io);
        return finish(exitCode.usage);
      }
      printWarnings(result.warnings, io);
      io.stdout.write(`${file}: ok\n`);
      finish(exitCode.ok);
    });
}
