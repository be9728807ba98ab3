import type { Command } from 'commander';
import { addConfigOptions, configSource } from './configuration.ts';
import { type CliIo, exitCode } from './io.ts';
import { serve } from './serve.ts';
import { type ProfileOptions, type Profiles, startProfiles } from './serve-profiles.ts';

/** `millrace serve`: runs the gateway until a signal ends it. */
export function addServe(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('serve')
    .description('run the gateway; SIGHUP loads the configuration anew, SIGTERM ends it in order');
  addConfigOptions(command)
    .option(
      '--cpu-prof [dir]',
      'write a CPU profile when the run ends; into this folder by default',
    )
    .option('--heap-prof [dir]', 'the same of what memory was allocated by')
    .action(async () => {
      let profiles: Profiles;
      try {
        profiles = await startProfiles(command.opts<ProfileOptions>(), io);
      } catch (error) {
        sayFailure(error, io);
        return finish(exitCode.usage);
      }
      const code = await serve(configSource(command), io, async (config, gatewayIo) => {
        // Only here: the other commands start without the gateway and all that it needs.
        const { createGateway } = await import('../gateway.ts');
        return createGateway(config, gatewayIo);
      });
      try {
        await profiles.write();
      } catch (error) {
        sayFailure(error, io);
        return finish(exitCode.failure);
      }
      finish(code);
    });
}

function sayFailure(error: unknown, io: CliIo): void {
  const why = error instanceof Error ? error.message : String(error);
  io.stderr.write(`millrace: no profile: ${why}\n`);
}
