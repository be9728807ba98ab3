import type { ArtifactMeta, VaryField } from '../core/artifact-meta.ts';

/** The most responses that one key keeps; the least recently stored goes first. */
export const maxVariants = 32;

/**
 * The key's variants after `meta` was stored: it comes first and replaces the one that was selected
 * by the same request fields. RFC 9111 section 4.1.
 */
export function withVariant(
  variants: readonly ArtifactMeta[],
  meta: ArtifactMeta,
): readonly ArtifactMeta[] {
  const others = variants.filter((other) => !sameVary(other.vary, meta.vary));
  return [meta, ...others.slice(0, maxVariants - 1)];
}

/** The mount that a key belongs to: that of its most recent response that has one. */
export function mountOf(variants: readonly ArtifactMeta[]): string | undefined {
  return variants.find((meta) => meta.mount !== undefined)?.mount;
}

/** Whether the same request fields with the same values selected both. */
export function sameVary(a: readonly VaryField[], b: readonly VaryField[]): boolean {
  return (
    a.length === b.length &&
    a.every(([name, value]) => b.some((other) => other[0] === name && other[1] === value))
  );
}
