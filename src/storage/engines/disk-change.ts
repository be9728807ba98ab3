import type { ArtifactMeta } from '../../core/artifact-meta.ts';

/** A body's file that nothing refers to any more. */
export interface DoomedFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** What a job changes besides the database; it takes effect when the transaction is committed. */
export interface DiskChange {
  /** Bytes that count against the bound, more or (negative) less than before. */
  bytes: number;
  entries: number;
  /** Keys that were evicted. */
  readonly evicted: string[];
  /** Keys whose variants are other ones now; an empty list: the key is forgotten. */
  readonly changed: (readonly [key: string, variants: readonly ArtifactMeta[]])[];
  readonly doomed: DoomedFile[];
}

export function noChange(): DiskChange {
  return { bytes: 0, entries: 0, evicted: [], changed: [], doomed: [] };
}
