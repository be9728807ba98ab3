import { readdirSync } from 'node:fs';
import { homedir, platform as ownPlatform } from 'node:os';
import type { CliIo } from '../io.ts';
import { type FileState, readState } from './file-states.ts';
import { given } from './places.ts';
import { type Place, refuse } from './tool.ts';

/** This host; what is in `instead` stands for the files themselves. */
export function hostPlace(
  { env, cwd, root = '/', platform = ownPlatform() }: CliIo,
  instead: ReadonlyMap<string, FileState | undefined> = new Map(),
): Place {
  if (platform === 'win32') {
    refuse('setup knows where tools have their files on Linux and macOS alone: see docs/setup.md');
  }
  return {
    env,
    root,
    platform,
    folder: cwd,
    home: given(env.HOME) ?? homedir(),
    read(path) {
      const state = instead.has(path) ? instead.get(path) : readState(path);
      return state && textOf(state.content, path);
    },
    list(folder) {
      try {
        return readdirSync(folder);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return [];
        throw error;
      }
    },
  };
}

/** A file's text; one that is not UTF-8 would come out changed. */
export function textOf(content: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch (error) {
    throw new TypeError(`${path} is not UTF-8 text: change it by hand`, { cause: error });
  }
}
