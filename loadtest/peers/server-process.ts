import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import type { Bench } from '../bench.ts';
import { hasEnded, startPinned, stop } from '../processes/start.ts';
import { waitFor } from '../processes/wait-for.ts';
import type { Contestant } from './peer.ts';

export interface ServerProcess {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What it says goes into a file here. */
  readonly folder: string;
  /** Of loopback: it runs when this accepts. */
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds that it has to end in order; what it caches is thrown away anyhow. */
  readonly graceMs?: number;
}

/** Starts a peer in the foreground on the servers' core; throws with its output when it does not listen. */
export async function startServer(bench: Bench, server: ServerProcess): Promise<Contestant> {
  const { name, command, args, folder, port, env, graceMs } = server;
  const logFile = join(folder, 'output.log');
  const log = await open(logFile, 'w');
  const child = startPinned(command, args, bench.cores.server, {
    cwd: folder,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, ...env },
  });
  await log.close();
  const ended = (): string | undefined =>
    hasEnded(child) ? `${name} ended (${child.signalCode ?? child.exitCode})` : undefined;
  try {
    await waitFor(`${name} to listen`, async () => {
      const why = ended();
      if (why !== undefined) throw new Error(`${why}: ${await readFile(logFile, 'utf8')}`);
      return accepts(port);
    });
  } catch (error) {
    await stop(child, graceMs);
    throw error;
  }
  return {
    name,
    base: `http://127.0.0.1:${port}`,
    pid: child.pid,
    ended,
    stop: () => stop(child, graceMs),
  };
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
