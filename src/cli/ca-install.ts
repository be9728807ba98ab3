import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { addCaCommand, existingAuthority } from './ca.ts';
import { type CliIo, exitCode } from './io.ts';

/** `millrace ca install`: the authority into the store of this system, or out of it again. */
export function addCaInstall(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('install')
    .description('make this system (Debian, Fedora and their kin) trust the authority')
    .option('--undo', 'take it out again');
  addCaCommand(command, io, finish, async (config) => {
    const { SystemStore } = await import('../tls/system-store.ts');
    const store = await SystemStore.find({ root: io.root ?? '/', run: io.run ?? runProgram });
    if (command.opts().undo === true) {
      const path = await store.remove();
      io.stdout.write(path === undefined ? 'It was not there.\n' : `Removed ${path}\n`);
      return exitCode.ok;
    }
    const path = await store.add((await existingAuthority(config)).certificate);
    io.stdout.write(
      `Added ${path}\nnpm and Python keep lists of their own: npm config set cafile, PIP_CERT.\n`,
    );
    return exitCode.ok;
  });
}

async function runProgram(program: string, ...args: string[]): Promise<void> {
  await promisify(execFile)(program, args);
}
