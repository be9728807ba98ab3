import { join } from 'node:path';
import type { Place } from './tool.ts';

/** `$XDG_CONFIG_HOME`, else `~/.config`. */
export function configHome({ env, home }: Place): string {
  return given(env.XDG_CONFIG_HOME) ?? join(home, '.config');
}

/** `$XDG_STATE_HOME`, else `~/.local/state`: where the journal is. */
export function stateHome({ env, home }: Pick<Place, 'env' | 'home'>): string {
  return given(env.XDG_STATE_HOME) ?? join(home, '.local', 'state');
}

/** Where a tool finds the certificates that were put together for it. */
export function materialPath({ env, home }: Place, name: string): string {
  const data = given(env.XDG_DATA_HOME) ?? join(home, '.local', 'share');
  return join(data, 'millrace', 'setup', name);
}

/** A file of the system. */
export function systemPath({ root }: Place, path: string): string {
  return join(root, path);
}

/** The first of these that is there, else the first of all. */
export function firstThere({ read }: Place, paths: readonly [string, ...string[]]): string {
  return paths.find((path) => read(path) !== undefined) ?? paths[0];
}

/** A variable that is set to something. */
export function given(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}
