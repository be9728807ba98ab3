import type { Config } from '../config/config.ts';
import { formatProblem } from '../config/problem.ts';
import type { Addresses, createGateway, Gateway } from '../gateway.ts';
import { announce } from './announce.ts';
import { type ConfigSource, load, printProblems, printWarnings } from './configuration.ts';
import { explainFailure } from './failure.ts';
import { type CliIo, exitCode, type Signal } from './io.ts';

/**
 * Runs a gateway from the first line to the last; resolves with the exit code. The first SIGTERM or
 * SIGINT closes it, the second ends the process at once; SIGHUP loads the configuration anew.
 */
export async function serve(
  source: ConfigSource,
  io: CliIo,
  open: typeof createGateway,
): Promise<number> {
  const loaded = await load(source, io);
  if (!loaded.ok) {
    printProblems(loaded.problems, io);
    return exitCode.usage;
  }
  const { config, warnings } = loaded;
  printWarnings(warnings, io);
  let gateway: Gateway | undefined;
  try {
    gateway = await open(config, io);
    const closed = handleSignals(gateway, source, io);
    const addresses = await gateway.listen();
    sayWhere(gateway, config, addresses, io);
    return await closed;
  } catch (error) {
    io.stderr.write(`millrace: ${explainFailure(error, config)}\n`);
    await gateway?.close();
    return exitCode.failure;
  }
}

function sayWhere(gateway: Gateway, config: Config, addresses: Addresses, io: CliIo): void {
  const json = config.logFormat === 'json' || (config.logFormat === 'auto' && !io.isTerminal);
  const { fields, text } = announce(config, addresses, io.version);
  if (json) gateway.log.info(fields, 'listening');
  else io.stdout.write(text);
}

/** Resolves with the exit code when a signal has closed the gateway. */
function handleSignals(gateway: Gateway, source: ConfigSource, io: CliIo): Promise<number> {
  const closed = Promise.withResolvers<number>();
  let closing = false;
  const stop = (signal: Signal, number: number): void => {
    if (closing) {
      // The shell's way to say that a signal ended a process.
      io.exit(128 + number);
      return;
    }
    closing = true;
    gateway.log.info({ signal }, 'closing');
    gateway.close().then(
      () => closed.resolve(exitCode.ok),
      (err: unknown) => {
        gateway.log.error({ err }, 'closing failed');
        closed.resolve(exitCode.failure);
      },
    );
  };
  io.onSignal('SIGTERM', () => stop('SIGTERM', 15));
  io.onSignal('SIGINT', () => stop('SIGINT', 2));
  io.onCrash((err) => gateway.log.fatal({ err }, 'uncaught error, the process ends'));

  // One after the other: the last signal's file is the one that stands.
  let reloading = Promise.resolve();
  io.onSignal('SIGHUP', () => {
    reloading = reloading.then(() => (closing ? undefined : reload(gateway, source, io)));
  });
  return closed.promise;
}

async function reload(gateway: Gateway, source: ConfigSource, io: CliIo): Promise<void> {
  try {
    const loaded = await load(source, io);
    if (!loaded.ok) {
      const problems = loaded.problems.map(formatProblem);
      gateway.log.error({ problems }, 'configuration not reloaded: it has problems');
      return;
    }
    const restartNeeded = await gateway.reload(loaded.config);
    const { warnings } = loaded;
    gateway.log.info({ restartNeeded, warnings }, 'configuration reloaded');
  } catch (err) {
    gateway.log.error({ err }, 'configuration not reloaded: it failed');
  }
}
