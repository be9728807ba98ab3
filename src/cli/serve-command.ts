import type { Command } from 'commander';
import { addConfigOptions, configSource } from './configuration.ts';
import type { CliIo } from './io.ts';
import { serve } from './serve.ts';

/** `millrace serve`: runs the gateway until a signal ends it. */
export function addServe(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('serve')
    .description('run the gateway; SIGHUP loads the configuration anew, SIGTERM ends it in order');
  addConfigOptions(command).action(async () => {
    finish(
      await serve(configSource(command), io, async (config, gatewayIo) => {
        // Only here: the other commands start without the gateway and all that it needs.
        const { createGateway } = await import('../gateway.ts');
        return createGateway(config, gatewayIo);
      }),
    );
  });
}
