import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { ByteRange } from '../core/body.ts';
import type { Digest } from '../core/digest.ts';
import type { PartialBody } from '../storage/store.ts';
import type { HashThread } from './hash-thread.ts';

/** Where a fill's bytes are kept. */
export interface FillStorageOptions {
  /** Where the bytes go; undefined: nowhere. */
  readonly partial: PartialBody | undefined;
  readonly key: string;
  /** The record of the body, once that is known. */
  readonly meta: (body: BodyRef) => ArtifactMeta;
  /** The store failed: the readers do not notice, the operator must. */
  readonly onFailure: (error: unknown) => void;
}

export interface FillOptions extends FillStorageOptions {
  /** Total bytes, when the response says so. */
  readonly size: number | undefined;
  /** What the whole body must have. */
  readonly digest?: Digest;
  /** What the whole body has if it is to be kept; readers are not concerned. Nothing beside `digest`. */
  readonly keepIf?: { readonly digest: Digest; readonly otherwise: () => void };
  /** Bytes that the partial body has from an earlier attempt; they do not overlap. */
  readonly present?: readonly ByteRange[];
  /** Hashes large bodies where nobody waits for their hash. */
  readonly hashing?: Pick<HashThread, 'begin'> | undefined;
}

/** What brings the bytes; the fill tells it when to go on, where readers wait, and when to give up. */
export interface FillSource {
  resume(): void;
  /** What an earlier fill left has been checked: what is still missing is to be brought. */
  checked?(): void;
  want(position: number): void;
  /** Nothing is stored any more: only the bytes that come next are of use. */
  narrow(): void;
  abort(): void;
}
