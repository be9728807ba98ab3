import { statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The folders of the host's own tools: a script of npm's puts those of this project in front, and
 * with them a Node that the tool under test would not have.
 */
export const hostPath: string = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !/node_modules[\\/]\.bin|node-gyp-bin/.test(folder))
  .join(delimiter);

/**
 * Whether tests that need these tools are to be skipped, visibly. On CI never: there an absent tool
 * is a failure.
 */
export function skipWithout(...commands: readonly string[]): boolean {
  return process.env.CI === undefined && !commands.every((command) => isInstalled(command));
}

/** Whether the host has the command, in one of these folders. */
export function isInstalled(command: string, path = hostPath): boolean {
  return path
    .split(delimiter)
    .some((folder) => statSync(join(folder, command), { throwIfNoEntry: false })?.isFile());
}
