import type { ArtifactMeta } from '../../core/artifact-meta.ts';

/** What the runtime needs around one item: map slots, list links, object and array headers. */
const itemOverhead = 200;
const fieldOverhead = 24;
const variantOverhead = 400;

/** Bytes that a key with its records takes in memory, near enough. */
export function recordsSize(key: string, variants: readonly ArtifactMeta[]): number {
  let bytes = itemOverhead + key.length * 2;
  for (const meta of variants) {
    const { headers } = meta;
    bytes += variantOverhead + headers.length * fieldOverhead;
    // Every body that is stored comes by here: an iterator would be garbage.
    for (let i = 0; i < headers.length; i++) bytes += (headers[i] as string).length;
    for (const [name, value] of meta.vary) {
      bytes += name.length + (value?.length ?? 0) + 3 * fieldOverhead;
    }
  }
  return bytes;
}

/** Bytes that a body of `size` bytes takes in memory. */
export function bodySize(size: number): number {
  return size + itemOverhead;
}
