import type { PartialIdentity, PurgeSelector } from '../store.ts';
import { sameVary } from '../variants.ts';

/** Whether two transfers are of one resource, selected by the same request fields. */
export function selectsSame(a: PartialIdentity, b: PartialIdentity): boolean {
  return a.key === b.key && sameVary(a.head.vary, b.head.vary);
}

/**
 * Whether what is left may be joined with what comes now: the same length, and either the digest
 * that will prove the whole, or the strong entity tag. RFC 9110 section 8.8.1, RFC 9111 section 3.4.
 */
export function isSame(
  left: { readonly identity: PartialIdentity; readonly size: number },
  identity: PartialIdentity,
  size: number,
): boolean {
  if (left.size !== size || !selectsSame(left.identity, identity)) return false;
  const { digest, etag } = left.identity;
  if (digest && identity.digest) {
    return digest.algorithm === identity.digest.algorithm && digest.hex === identity.digest.hex;
  }
  return etag !== undefined && etag === identity.etag;
}

/** Whether a purge is meant for it. */
export function isSelected({ key, head }: PartialIdentity, selector: PurgeSelector): boolean {
  if ('key' in selector) return key === selector.key;
  return 'prefix' in selector ? key.startsWith(selector.prefix) : head.mount === selector.mount;
}
