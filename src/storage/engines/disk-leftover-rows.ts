import type { PartialIdentity } from '../store.ts';
import type { DiskDatabase } from './disk-database.ts';
import type { Piece } from './piece-map.ts';

/** What is noted of a partial body. */
export interface LeftoverRow {
  /** Names its file, too. */
  readonly id: string;
  /** Bytes of the whole. */
  readonly size: number;
  readonly identity: PartialIdentity;
  /** In order. */
  readonly pieces: readonly Piece[];
  /** When it was noted; milliseconds since the epoch. */
  readonly noted: number;
}

/** The table of partial bodies: synchronous statements, each in whatever transaction is open. */
export class DiskLeftoverRows {
  readonly #database: DiskDatabase;

  constructor(database: DiskDatabase) {
    this.#database = database;
  }

  /** All that can be read, the oldest first; `onUnreadable` hears of each other one. */
  all(onUnreadable: (id: string) => void): LeftoverRow[] {
    const sql = 'SELECT id, size, identity, pieces, noted FROM leftovers ORDER BY noted';
    return this.#database.all(sql).flatMap((row) => {
      const parsed = parseRow(row as unknown as TextRow);
      if (!parsed) onUnreadable(row.id as string);
      return parsed ?? [];
    });
  }

  set({ id, size, identity, pieces, noted }: LeftoverRow): void {
    this.#database.run(
      'INSERT OR REPLACE INTO leftovers (id, size, identity, pieces, noted) VALUES (?, ?, ?, ?, ?)',
      id,
      size,
      JSON.stringify(identity),
      JSON.stringify(pieces.flatMap(({ first, last, check }) => [first, last, check])),
      noted,
    );
  }

  remove(id: string): void {
    this.#database.run('DELETE FROM leftovers WHERE id = ?', id);
  }
}

interface TextRow {
  readonly id: string;
  readonly size: number;
  readonly identity: string;
  readonly pieces: string;
  readonly noted: number;
}

function parseRow({ id, size, identity, pieces, noted }: TextRow): LeftoverRow | undefined {
  const known = parsed(identity) as PartialIdentity | undefined;
  const numbers = parsed(pieces);
  if (typeof known?.key !== 'string' || !Array.isArray(known.head?.vary)) return undefined;
  if (!Array.isArray(numbers) || !numbers.every(Number.isSafeInteger)) return undefined;
  const list: Piece[] = [];
  for (let i = 0, end = 0; i < numbers.length; i += 3) {
    const [first, last, check] = numbers.slice(i, i + 3) as [number, number, number];
    if (check === undefined || first < end || last < first || last >= size) return undefined;
    list.push({ first, last, check });
    end = last + 1;
  }
  return { id, size, identity: known, pieces: list, noted };
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
