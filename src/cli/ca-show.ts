import type { Command } from 'commander';
import { addCaCommand, describeAuthority, existingAuthority } from './ca.ts';
import { type CliIo, exitCode } from './io.ts';

/** `millrace ca show`: what the authority is. */
export function addCaShow(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent.command('show').description('what the certificate authority is');
  addCaCommand(command, io, finish, async (config) => {
    io.stdout.write(describeAuthority(await existingAuthority(config)));
    return exitCode.ok;
  });
}

/** `millrace ca export`: the certificate that clients are to trust. */
export function addCaExport(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('export')
    .description('print the certificate (PEM) that clients are to trust');
  addCaCommand(command, io, finish, async (config) => {
    io.stdout.write((await existingAuthority(config)).certificate);
    return exitCode.ok;
  });
}
