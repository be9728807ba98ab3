import { GatewayError } from '../../core/errors.ts';
import { storageFailed, storageFull } from '../storage-error.ts';
import type { StoreHealth } from '../store.ts';

/** The two media of the disk tier; each recovers on its own. */
export type DiskMedium = 'files' | 'database';

type Kind = 'full' | 'unusable' | 'corrupt' | 'failed';

interface Trouble {
  readonly kind: Kind;
  readonly reason: string;
}

/** Result codes: sqlite.org/rescode.html. The low byte of an extended code is the primary one. */
const sqliteKinds = new Map<number, Kind>([
  [3, 'unusable'], // SQLITE_PERM
  [8, 'unusable'], // SQLITE_READONLY
  [11, 'corrupt'], // SQLITE_CORRUPT
  [13, 'full'], // SQLITE_FULL
  [26, 'corrupt'], // SQLITE_NOTADB
]);

const fileKinds = new Map<string, Kind>([
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EROFS', 'unusable'],
  ['EACCES', 'unusable'],
]);

const reasons: Record<DiskMedium, Record<Kind, string>> = {
  files: {
    full: 'no space is left for files of the cache',
    unusable: 'the cache directory cannot be written',
    corrupt: 'a file of the cache is damaged',
    failed: 'a file of the cache could not be read or written',
  },
  database: {
    full: 'no space is left for the database of the cache',
    unusable: 'the database of the cache cannot be written',
    corrupt: 'the database of the cache is damaged',
    failed: 'the database of the cache could not be read or written',
  },
};

/**
 * What is wrong with the disk tier. Everything that fails comes here and becomes the GatewayError
 * that callers see; a later write that succeeds ends the trouble, but for a medium that cannot be
 * written at all.
 */
export class DiskTrouble {
  readonly #onTrouble: (reason: string) => void;
  readonly #current = new Map<DiskMedium, Trouble>();
  #unusable: GatewayError | undefined;
  /** Called when the database turns out to be damaged. */
  onCorrupt: (() => void) | undefined;

  constructor(onTrouble: (reason: string) => void) {
    this.#onTrouble = onTrouble;
  }

  /** Records a failure; the error to throw. One that was recorded before is returned as it is. */
  note(error: unknown, medium: DiskMedium): GatewayError {
    if (error instanceof GatewayError) return error;
    const kind = kindOf(error);
    const code = codeOf(error);
    const reason = `${reasons[medium][kind]}${code === undefined ? '' : ` (${code})`}`;
    const wrapped = kind === 'full' ? storageFull(reason, error) : storageFailed(reason, error);
    if (kind === 'unusable') this.#unusable ??= wrapped;
    if (this.#current.get(medium)?.kind !== kind) {
      this.#current.set(medium, { kind, reason });
      this.#onTrouble(reason);
    }
    if (kind === 'corrupt' && medium === 'database') this.onCorrupt?.();
    return wrapped;
  }

  /** The database is damaged and could not be replaced: the store is of no use any more. */
  giveUp(error: unknown): void {
    this.#unusable = this.note(error, 'database');
    this.#current.set('database', { kind: 'unusable', reason: this.#unusable.message });
  }

  /** Something that is not a failure of an operation, but that the operator must know. */
  report(reason: string): void {
    this.#onTrouble(reason);
  }

  /** A write to the medium succeeded. */
  succeeded(medium: DiskMedium): void {
    if (this.#current.size > 0 && !this.#unusable) this.#current.delete(medium);
  }

  /** Whether the last write to one of the media found no space. */
  get full(): boolean {
    if (this.#current.size === 0) return false;
    return [...this.#current.values()].some(({ kind }) => kind === 'full');
  }

  get health(): StoreHealth {
    for (const { reason } of this.#current.values()) return { ok: false, reason };
    return { ok: true };
  }

  /** Throws at once when the medium cannot be used. */
  check(): void {
    if (this.#unusable) throw this.#unusable;
  }
}

/** Whether another process (or store) holds the database. */
export function isLocked(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 5 || code === 6; // SQLITE_BUSY, SQLITE_LOCKED
}

/** Whether the file is no database, or not a whole one. */
export function isCorrupt(error: unknown): boolean {
  return kindOf(error) === 'corrupt';
}

function kindOf(error: unknown): Kind {
  const sqlite = sqliteCode(error);
  if (sqlite !== undefined) return sqliteKinds.get(sqlite) ?? 'failed';
  return fileKinds.get(codeOf(error) ?? '') ?? 'failed';
}

/** The system's code; of SQLite its result code, as `sqlite3.h` has it. */
function codeOf(error: unknown): string | undefined {
  const sqlite = sqliteCode(error);
  if (sqlite !== undefined) return `SQLite error ${sqlite}`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function sqliteCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}
