import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { hostPath } from './tools.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** Besides `PATH`, all that the command sees of an environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Finished {
  readonly code: number | null;
  /** Standard output. */
  readonly output: string;
  /** Standard error. */
  readonly errors: string;
}

/** Runs one of the host's commands to its end, without input; the test kills it if it outlives it. */
export async function attempt(
  command: string,
  args: readonly string[],
  { cwd, env }: RunOptions = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    ...(cwd !== undefined && { cwd }),
    env: { PATH: hostPath, LC_ALL: 'C.UTF-8', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, errors };
}

/** The same for a command that has to succeed. Throws with all it said when it does not. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const finished = await attempt(command, args, options);
  if (finished.code === 0) return finished;
  const said = `${finished.output}${finished.errors}`;
  throw new Error(`${command} ${args.join(' ')} ended with ${finished.code}:\n${said}`);
}
