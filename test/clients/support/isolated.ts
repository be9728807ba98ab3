import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/gateway.ts';
import { attempt, type Finished, type RunOptions, run } from './run.ts';
import { skipWithout } from './tools.ts';

const relay = fileURLToPath(new URL('./isolated-relay.ts', import.meta.url));
const unshare = process.getuid?.() === 0 ? ['--net'] : ['--net', '--map-root-user'];

/**
 * A network namespace of its own for each command, in which the gateway's address is all there is: no
 * other route, no name server. Whatever a tool tries besides is counted by the kernel.
 */
export interface IsolatedNetwork {
  /** Runs a command that may fail. Throws when it tried to reach anything but the gateway. */
  attempt(command: string, args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** The same for one that has to succeed. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<Finished>;
}

/** Whether tests in such a network are to be skipped, as for `skipWithout`. */
export function skipUnisolated(...commands: readonly string[]): boolean {
  return skipWithout(...commands) || (process.env.CI === undefined && !canIsolate());
}

/** Such a network, or on a host that has none (never on CI) its own. */
export async function isolatedIfPossible(gatewayUrl: string): Promise<IsolatedNetwork> {
  return skipUnisolated() ? { attempt, run } : isolatedNetwork(gatewayUrl);
}

function canIsolate(): boolean {
  return spawnSync('unshare', [...unshare, 'ip', 'link', 'set', 'lo', 'up']).status === 0;
}

/** A network of the running test with the gateway in it, at the address that it has outside. */
export async function isolatedNetwork(gatewayUrl: string): Promise<IsolatedNetwork> {
  const { hostname, port } = new URL(gatewayUrl);
  const folder = await temporaryFolder();
  // A socket in the file system is the one way between two network namespaces.
  const path = join(folder, 'gateway.sock');
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    inside.on('error', () => outside.destroy()).pipe(outside);
    outside.on('error', () => inside.destroy()).pipe(inside);
  });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());

  let runs = 0;
  const network: IsolatedNetwork = {
    async attempt(command, args, options) {
      const report = join(folder, `strays-${runs++}`);
      const inside = [process.execPath, relay, path, port, report, command, ...args];
      const shell = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
      const finished = await attempt('unshare', [...unshare, '--', ...shell, ...inside], options);
      const strays = Number(await readFile(report, 'utf8'));
      if (strays === 0) return finished;
      const said = `${finished.output}${finished.errors}`;
      throw new Error(`${command} tried ${strays} times to reach something else:\n${said}`);
    },
    async run(command, args, options) {
      const finished = await network.attempt(command, args, options);
      if (finished.code === 0) return finished;
      const said = `${finished.output}${finished.errors}`;
      throw new Error(`${command} ${args.join(' ')} ended with ${finished.code}:\n${said}`);
    },
  };
  return network;
}
