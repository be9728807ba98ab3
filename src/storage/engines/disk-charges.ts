import type { ArtifactMeta } from '../../core/artifact-meta.ts';

/** Block of the file systems in use, and half a page of the database, in bytes. */
const block = 4096;
/** Row and index entries of a key, and those in `refs`. */
const entryOverhead = 300;
/** JSON around one variant: names of its members, numbers, digest. */
const variantOverhead = 320;
const fieldOverhead = 8;
/** Rows and index entries of a body. */
const bodyOverhead = 200;
/** How often a key is written out: in its row, and in an index whose pages are not full. */
const keyCopies = 3;

/** Bytes that a key counts for, apart from its variants. */
export function entryCharge(key: string): number {
  return entryOverhead + Buffer.byteLength(key) * keyCopies;
}

/** Bytes that one variant counts for, its body not included. */
export function variantCharge(meta: ArtifactMeta): number {
  const { headers } = meta;
  let bytes = variantOverhead + headers.length * fieldOverhead;
  // Every body that is stored comes by here: an iterator would be garbage.
  for (let i = 0; i < headers.length; i++) bytes += (headers[i] as string).length;
  for (const [name, value] of meta.vary) {
    bytes += name.length + (value?.length ?? 0) + 2 * fieldOverhead;
  }
  return bytes;
}

/** Bytes that a key with its variants counts for. */
export function recordCharge(key: string, variants: readonly ArtifactMeta[]): number {
  let bytes = entryCharge(key);
  for (const meta of variants) bytes += variantCharge(meta);
  return bytes;
}

/** Bytes to reserve for a body that may have up to `size` bytes; more of it counts as it is. */
export function openBodyCharge(size: number): number {
  return bodyCharge(Math.max(size, block));
}

/** Up to a whole number of blocks. */
export function inBlocks(bytes: number): number {
  return Math.ceil(bytes / block) * block;
}

/** Bytes that a body counts for: what it takes on the medium, in whole blocks when it is large. */
export function bodyCharge(size: number): number {
  if (size === 0) return 0;
  return bodyOverhead + (size <= block / 4 ? Math.ceil(size * 1.25) : inBlocks(size));
}
