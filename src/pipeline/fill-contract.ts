import type { ByteRange } from '../core/body.ts';
import type { Digest } from '../core/digest.ts';
import type { FillStorageOptions } from './fill-storage.ts';

export interface FillOptions extends FillStorageOptions {
  /** Total bytes, when the response says so. */
  readonly size: number | undefined;
  /** What the whole body must have. */
  readonly digest?: Digest;
  /** Bytes that the partial body has from an earlier attempt; they do not overlap. */
  readonly present?: readonly ByteRange[];
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
