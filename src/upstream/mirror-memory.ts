import { readFile, rename, rm, writeFile } from 'node:fs/promises';

export interface MirrorMemoryOptions {
  /** What to keep; it goes through JSON. */
  readonly memory: () => object;
  /** Hears of a write that failed, once until one succeeds again. */
  readonly onTrouble: (error: unknown) => void;
}

export type FoundMemory =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'memory'; readonly memory: unknown }
  | { readonly kind: 'unreadable'; readonly error: unknown };

/** A small file that is replaced as a whole, now and then and at the end. */
export interface MirrorMemoryFile {
  load(): Promise<FoundMemory>;
  /** Writes what there is now. */
  save(): Promise<void>;
  /** Writes a last time. */
  close(): Promise<void>;
}

/** What is lost by a crash at the most, in milliseconds. */
const saveEveryMs = 60_000;
/** The tracker is bounded: a larger file is not its own. */
const mostBytes = 4 * 1024 * 1024;

/** The file at this path; a crash in the middle of a write leaves the old one. */
export function openMirrorMemory(path: string, options: MirrorMemoryOptions): MirrorMemoryFile {
  let saved = '';
  let troubled = false;
  let saving = Promise.resolve();
  const write = async (): Promise<void> => {
    const text = JSON.stringify(options.memory());
    if (text === saved) return;
    const temporary = `${path}.new`;
    try {
      await writeFile(temporary, text, { flush: true });
      await rename(temporary, path);
      saved = text;
      troubled = false;
    } catch (error) {
      if (!troubled) options.onTrouble(error);
      troubled = true;
      await rm(temporary, { force: true }).catch(options.onTrouble);
    }
  };
  const save = (): Promise<void> => {
    saving = saving.then(write);
    return saving;
  };
  const timer = setInterval(() => void save(), saveEveryMs).unref();
  return {
    load: () => readMirrorMemory(path),
    save,
    close() {
      clearInterval(timer);
      return save();
    },
  };
}

/** What the file at this path holds, for those who only read it, too. */
export async function readMirrorMemory(path: string): Promise<FoundMemory> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > mostBytes) throw new RangeError('the file is too large');
    return { kind: 'memory', memory: JSON.parse(text) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { kind: 'nothing' } : { kind: 'unreadable', error };
  }
}
