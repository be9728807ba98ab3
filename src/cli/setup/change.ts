import { type FileState, readState, removeFolders, writeState } from './file-states.ts';
import { digestOf, type Journal, type JournalFile, type JournalRecord } from './journal.ts';
import type { FileEdit } from './tool.ts';

/** What undoing records would bring back. */
export interface Unwound {
  /** By path: what was there before the first of the records. */
  readonly restored: ReadonlyMap<string, FileState | undefined>;
  /** Files that somebody else has changed since. */
  readonly changed: readonly string[];
  /** Folders that setup made, outermost first. */
  readonly folders: readonly string[];
}

/** A file as it is and as it shall be. */
export interface FileChange {
  readonly path: string;
  readonly from: FileState | undefined;
  /** Without a mode it keeps the one it has. */
  readonly to: { readonly content: Uint8Array; readonly mode?: number } | undefined;
  readonly about?: string;
}

/** Goes back through records, the last one first. */
export function unwind(records: readonly JournalRecord[]): Unwound {
  const restored = new Map<string, FileState | undefined>();
  const changed = new Set<string>();
  const folders: string[] = [];
  for (const { files } of records.toReversed()) {
    for (const file of files.toReversed()) {
      const { path } = file;
      const now = restored.has(path) ? restored.get(path) : readState(path);
      const before = beforeOf(file);
      // A setup that broke off may not have come to this file.
      const isBefore = now ? before?.content.equals(now.content) === true : before === undefined;
      if (!isBefore && (now === undefined || digestOf(now.content) !== file.after)) {
        changed.add(path);
      }
      restored.set(path, before);
      folders.unshift(...file.folders);
    }
  }
  return { restored, changed: [...changed], folders: [...new Set(folders)] };
}

/** What is to be written to have everything as it was; files that are so already are left out. */
export function changesBack({ restored }: Unwound): FileChange[] {
  return [...restored].flatMap(([path, to]) => {
    const from = readState(path);
    return isSame(from, to) ? [] : [{ path, from, to }];
  });
}

/** Where a new setup stands: the edits of a plan on top of what was there before all of `earlier`. */
export interface Setup {
  readonly record: JournalRecord;
  readonly changes: readonly FileChange[];
}

/** What a plan's edits change, and the record that takes them back to `unwound`. */
export function setupOf(
  edits: readonly FileEdit[],
  { restored, folders }: Unwound,
  head: Omit<JournalRecord, 'files'>,
): Setup {
  const files: JournalFile[] = [];
  const changes: FileChange[] = [];
  const planned = new Set<string>();
  for (const { path, content, about } of edits) {
    planned.add(path);
    const bytes = Buffer.from(content);
    const now = readState(path);
    const before = restored.has(path) ? restored.get(path) : now;
    if (before?.content.equals(bytes) !== true) files.push(fileOf(path, before, bytes));
    // A file keeps the mode that it has.
    if (now?.content.equals(bytes) !== true) {
      changes.push({
        path,
        from: now,
        to: { content: bytes },
        ...(about !== undefined && { about }),
      });
    }
  }
  for (const [path, to] of restored) {
    const from = planned.has(path) ? undefined : readState(path);
    if (!planned.has(path) && !isSame(from, to)) changes.push({ path, from, to });
  }
  const [first, ...others] = files;
  // The folders are still there: they go when the new record is undone.
  const all = first ? [{ ...first, folders }, ...others] : [];
  return { record: { ...head, files: all }, changes };
}

/**
 * Writes a setup down and then makes it: should the process end in between, undo knows the way back.
 * When a file cannot be written, those before it are put back.
 */
export async function carryOut(
  { record, changes }: Setup,
  journal: Journal,
  tool: string,
  others: readonly JournalRecord[],
  before: readonly JournalRecord[],
): Promise<void> {
  const write = (made: JournalRecord): Promise<void> =>
    journal.write(tool, made.files.length === 0 ? others : [...others, made]);
  await write(record);
  const made = new Map<string, readonly string[]>();
  const done: FileChange[] = [];
  try {
    for (const change of changes) {
      made.set(change.path, await writeState(change.path, change.to));
      done.push(change);
    }
  } catch (error) {
    for (const { path, from } of done.toReversed()) {
      await writeState(path, from);
      await removeFolders(made.get(path) ?? []);
    }
    await journal.write(tool, before);
    await journal.tidy();
    throw error;
  }
  const files = record.files.map((file) => {
    return { ...file, folders: [...file.folders, ...(made.get(file.path) ?? [])] };
  });
  if (files.some((file, at) => file.folders.length !== record.files[at]?.folders.length)) {
    await write({ ...record, files });
  }
}

function fileOf(path: string, before: FileState | undefined, after: Uint8Array): JournalFile {
  return {
    path,
    before: before?.content.toString('base64'),
    mode: before?.mode,
    after: digestOf(after),
    folders: [],
  };
}

function beforeOf({ before, mode }: JournalFile): FileState | undefined {
  return before === undefined
    ? undefined
    : { content: Buffer.from(before, 'base64'), mode: mode ?? 0o600 };
}

function isSame(one: FileState | undefined, other: FileState | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.content.equals(other.content) && one.mode === other.mode;
}
