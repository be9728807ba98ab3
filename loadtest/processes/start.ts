import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';

/** One core for the server, another for the load and the origin; undefined: not pinned. */
export interface Cores {
  readonly server: number | undefined;
  readonly load: number | undefined;
}

/** The first two cores where `taskset` is there to pin to them. */
export function chooseCores(): Cores {
  const usable = availableParallelism() > 1 && commandWorks('taskset', ['--version']);
  return usable ? { server: 0, load: 1 } : { server: undefined, load: undefined };
}

export function commandWorks(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Starts a program on one core, all its threads included. */
export function startPinned(
  command: string,
  args: readonly string[],
  core: number | undefined,
  options: SpawnOptions,
): ChildProcess {
  return core === undefined
    ? spawn(command, args, options)
    : spawn('taskset', ['-c', String(core), command, ...args], options);
}

/** Ends a program, by force after a while. */
export async function stop(child: ChildProcess, graceMs = 20_000): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(force);
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
