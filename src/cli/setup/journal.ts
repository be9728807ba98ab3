import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { listAt, numberAt, textAt, valueAt } from '../foreign-json.ts';
import { readState, removeFolders, writeState } from './file-states.ts';
import { stateHome } from './places.ts';
import type { Place, SetupMode, SetupScope } from './tool.ts';

/** One file that was changed, and how to have it back. */
export interface JournalFile {
  readonly path: string;
  /** What was there: base64; undefined where there was nothing. */
  readonly before: string | undefined;
  /** Permission bits of what was there. */
  readonly mode: number | undefined;
  /** SHA-256 of what was written. */
  readonly after: string;
  /** Folders that were made for it, outermost first. */
  readonly folders: readonly string[];
}

/** One `millrace setup`. */
export interface JournalRecord {
  readonly mode: SetupMode;
  readonly scope: SetupScope;
  /** Of the scope `project`: which one. */
  readonly folder: string | undefined;
  /** The gateway. */
  readonly url: string;
  readonly files: readonly JournalFile[];
}

/**
 * What was there before each setup, by tool, in files for their owner alone: configurations hold
 * tokens.
 */
export class Journal {
  readonly #folder: string;

  constructor(place: Pick<Place, 'env' | 'home'>) {
    this.#folder = join(stateHome(place), 'millrace', 'setup');
  }

  /** The records of a tool, oldest first. Throws a TypeError where they cannot be read. */
  read(tool: string): readonly JournalRecord[] {
    const path = this.path(tool);
    const state = readState(path);
    if (state === undefined) return [];
    let document: unknown;
    try {
      document = JSON.parse(state.content.toString()) as unknown;
    } catch (error) {
      throw new TypeError(`${path} is not what setup wrote there`, { cause: error });
    }
    const records = listAt(document, 'records').map((record) => recordOf(record, path));
    if (numberAt(document, 'version') !== 1) {
      throw new TypeError(`${path} is of another version of millrace`);
    }
    return records;
  }

  /** Writes the records of a tool; without any its file goes. */
  async write(tool: string, records: readonly JournalRecord[]): Promise<void> {
    const path = this.path(tool);
    if (records.length === 0) return void (await writeState(path, undefined));
    const text = `${JSON.stringify({ version: 1, records }, undefined, 2)}\n`;
    const made = await writeState(path, { content: Buffer.from(text), mode: 0o600 });
    if (made.length > 0) await chmod(this.#folder, 0o700);
  }

  /** The tools that have records. */
  tools(): string[] {
    try {
      const names = readdirSync(this.#folder).filter((name) => name.endsWith('.json'));
      return names.map((name) => name.slice(0, -'.json'.length));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return [];
      throw error;
    }
  }

  /** Where the records of a tool are. */
  path(tool: string): string {
    return join(this.#folder, `${tool}.json`);
  }

  /** Takes away the folder where nothing is left in it. */
  async tidy(): Promise<void> {
    await removeFolders([join(this.#folder, '..'), this.#folder]);
  }
}

/** What a file's content is known by. */
export function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function recordOf(record: unknown, path: string): JournalRecord {
  const mode = textAt(record, 'mode');
  const scope = textAt(record, 'scope');
  const url = textAt(record, 'url');
  const isMode = mode === 'registry' || mode === 'proxy';
  if (!isMode || (scope !== 'user' && scope !== 'project') || url === undefined) {
    throw new TypeError(`${path} is not what setup wrote there`);
  }
  const files = listAt(record, 'files').map((file) => {
    const [name, after] = [textAt(file, 'path'), textAt(file, 'after')];
    if (name === undefined || after === undefined) {
      throw new TypeError(`${path} is not what setup wrote there`);
    }
    const folders = listAt(file, 'folders').filter((each) => typeof each === 'string');
    const before = valueAt(file, 'before');
    return {
      path: name,
      after,
      folders,
      before: typeof before === 'string' ? before : undefined,
      mode: numberAt(file, 'mode'),
    };
  });
  return { mode, scope, url, files, folder: textAt(record, 'folder') };
}
