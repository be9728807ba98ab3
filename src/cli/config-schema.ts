import type { Command } from 'commander';
import { settings } from '../config/declarations.ts';
import { jsonSchemaText } from '../config/json-schema.ts';
import { referenceTable } from '../config/reference.ts';
import { type CliIo, exitCode } from './io.ts';

/** `millrace config schema`: what the declarations say, for editors or for the manual. */
export function addConfigSchema(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .option('--markdown', 'a reference table instead');
  command.action(() => {
    io.stdout.write(
      command.opts().markdown === true ? referenceTable(settings) : jsonSchemaText(settings),
    );
    finish(exitCode.ok);
  });
}
