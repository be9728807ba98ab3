import { Command, CommanderError } from 'commander';
import { addCaCreate, addCaRotate } from './ca-create.ts';
import { addCaInstall } from './ca-install.ts';
import { addCaExport, addCaShow } from './ca-show.ts';
import { addConfigCheck } from './config-check.ts';
import { addConfigSchema } from './config-schema.ts';
import { addConfigShow } from './config-show.ts';
import { addDoctor } from './doctor-command.ts';
import { addGet } from './get-command.ts';
import { type CliIo, exitCode } from './io.ts';
import { addOptimize } from './optimize-command.ts';
import { addServe } from './serve-command.ts';
import { addSetup } from './setup-command.ts';
import { addStats } from './stats-command.ts';

/** Runs one command line (without the program's own name); resolves with the exit code. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  let code: number = exitCode.ok;
  const finish = (given: number): void => {
    code = given;
  };
  const program = new Command('millrace')
    .description('A caching gateway for package managers.')
    .version(io.version, '--version', 'print the version')
    // So that those of `setup undo` are not taken for those of `setup`.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .exitOverride();
  addServe(program, io, finish);
  addGet(program, io, finish);
  addOptimize(program, io, finish);
  addStats(program, io, finish);
  addSetup(program, io, finish);
  addDoctor(program, io, finish);
  const config = program.command('config').description('check and show configurations');
  addConfigCheck(config, io, finish);
  addConfigShow(config, io, finish);
  addConfigSchema(config, io, finish);
  const ca = program
    .command('ca')
    .description('the certificate authority for intercepted https and the HTTPS listener');
  addCaCreate(ca, io, finish);
  addCaShow(ca, io, finish);
  addCaExport(ca, io, finish);
  addCaRotate(ca, io, finish);
  addCaInstall(ca, io, finish);
  pointToHelp(program, program.name());
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // It has been said already; help and version end this way too.
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  }
  return code;
}

/** What is wrong with a command is in its own help. */
function pointToHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(see ${name} --help)`);
  for (const each of command.commands) pointToHelp(each, `${name} ${each.name()}`);
}
