import { randomUUID } from 'node:crypto';
import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** A file as it is; undefined: there is none. */
export interface FileState {
  readonly content: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

/** Where a path leads in the end: a link stays, and what it leads to is written, also if it is not there yet. */
export function targetOf(path: string): string {
  let target = resolve(path);
  // As many links as Linux follows.
  for (let links = 0; links < 40; links += 1) {
    const stat = lstatSync(target, { throwIfNoEntry: false });
    if (!stat?.isSymbolicLink()) return target;
    target = resolve(dirname(target), readlinkSync(target));
  }
  throw new TypeError(`${path} is a link that leads to itself`);
}

/** Reads a file, through links. Throws a TypeError where it is none or may not be read. */
export function readState(path: string): FileState | undefined {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new TypeError(`${path} is not a file`);
    return { content: readFileSync(path), mode: stat.mode & 0o7777 };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw permitted(error, path);
  }
}

/**
 * Puts a whole file in place of what is there, or takes it away; mode and owner stay. Resolves with
 * the folders that were made for it. Rejects with a TypeError where this user may not.
 */
export async function writeState(
  path: string,
  state: { readonly content: Uint8Array; readonly mode?: number } | undefined,
): Promise<readonly string[]> {
  try {
    const target = targetOf(path);
    if (state === undefined) {
      await rm(target, { force: true });
      return [];
    }
    const made = await makeFolders(dirname(target));
    const now = statSync(target, { throwIfNoEntry: false });
    const beside = `${target}.${randomUUID().slice(0, 8)}.tmp`;
    try {
      // Readable for its owner alone until it has its own mode: it may hold tokens.
      const file = await open(beside, 'wx', now || state.mode !== undefined ? 0o600 : 0o644);
      try {
        await file.writeFile(state.content);
        await file.sync();
      } finally {
        await file.close();
      }
      const own = statSync(beside);
      if (now && (now.uid !== own.uid || now.gid !== own.gid)) {
        await chown(beside, now.uid, now.gid);
      }
      const mode = state.mode ?? (now && now.mode & 0o7777);
      if (mode !== undefined) await chmod(beside, mode);
      await rename(beside, target);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
    return made;
  } catch (error) {
    throw permitted(error, path);
  }
}

/** Takes away those folders that were made for a file and have nothing else in them by now. */
export async function removeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders.toReversed()) {
    try {
      await rmdir(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Somebody else uses it, or has taken it away.
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
    }
  }
}

async function makeFolders(folder: string): Promise<string[]> {
  const first = await mkdir(folder, { recursive: true });
  const made: string[] = [];
  for (let at = folder; first !== undefined; at = dirname(at)) {
    made.unshift(at);
    if (at === first || at === dirname(at)) break;
  }
  return made;
}

function permitted(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return new TypeError(
      `${path} is not for this user to read and write: run the command with sudo, or as its owner`,
      { cause: error },
    );
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new TypeError(`${path} cannot be made: a part of its path is not a folder`, {
      cause: error,
    });
  }
  if (code === 'EROFS') {
    return new TypeError(`${path} is on a file system that is read-only`, { cause: error });
  }
  return error;
}
