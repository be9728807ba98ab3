import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import type { Digest } from '../core/digest.ts';
import type { PartialBody } from '../storage/store.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { proofOf } from './body-hash.ts';
import type { Resource } from './resource.ts';

/** A larger body is a fill, in however few pieces it comes. */
const mostBytes = 64 * 1024;

export interface WholeBodyOptions {
  readonly key: string;
  readonly head: Omit<ArtifactMeta, 'body'>;
  /** Bytes that the head announces. */
  readonly size: number;
  /** Where the bytes go; nothing was written to it. */
  readonly partial: PartialBody;
  /** The store failed: the clients do not notice, the operator must. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * A small body that came with its head, and is right: whoever waits for it is answered from its bytes at
 * once, while it goes into the store.
 */
export class WholeBody {
  readonly #options: WholeBodyOptions;
  readonly #outcome = Promise.withResolvers<ArtifactMeta | undefined>();
  /** Settles with the meta as stored, or with undefined: the body was not to be stored, or could not be. */
  readonly settled = this.#outcome.promise;
  /** All of it; never to be written to. */
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly complete = true;
  /** They have its bytes: nobody waits for more. */
  readonly readers = 0;
  /** Whether the store took the bytes. */
  readonly storing: boolean;
  #forgone = false;

  /** Takes a copy of the bytes, which hash to `sha256`. */
  constructor(options: WholeBodyOptions, bytes: Uint8Array, sha256: string) {
    const { partial, onFailure } = options;
    this.#options = options;
    this.sha256 = sha256;
    partial.write(0, bytes);
    this.storing = partial.failure === undefined;
    if (!this.storing) onFailure(partial.failure);
    this.bytes = partial.inMemory?.(bytes.length) ?? Buffer.from(bytes);
  }

  /** A reader of the range (the whole without one). */
  read(range?: ByteRange): BodyReader {
    let rest: Uint8Array | undefined = range
      ? this.bytes.subarray(range.first, range.last + 1)
      : this.bytes;
    const nextNow = (): Uint8Array | undefined => {
      const chunk = rest?.length === 0 ? undefined : rest;
      rest = undefined;
      return chunk;
    };
    const close = (): void => {
      rest = undefined;
    };
    return { nextNow, next: () => Promise.resolve(nextNow()), close };
  }

  /** It is not to be stored after all, where that has not begun. */
  forgo(): void {
    this.#forgone = true;
  }

  /** Begins to store it; once. */
  store(): void {
    const { key, head, size, partial } = this.#options;
    if (!this.storing || this.#forgone) {
      this.#discard();
      return;
    }
    const meta = { ...head, body: { sha256: this.sha256, size } };
    partial.commit(key, meta).then(
      (stored) => this.#end(stored),
      (error) => {
        this.#options.onFailure(error);
        this.#discard();
      },
    );
  }

  #discard(): void {
    const { partial, onFailure } = this.#options;
    partial.discard().catch(onFailure);
    this.#end(undefined);
  }

  #end(stored: ArtifactMeta | undefined): void {
    this.#options.partial.release();
    this.#outcome.resolve(stored);
  }
}

/**
 * Whether a body of so many bytes may be taken whole: it is small, and nobody wants more of it than to be
 * answered from it and to have it stored, as those do who rewrite, search or list it, or follow what
 * becomes of it.
 */
export function mayBeWhole({ classification, places }: Resource, size: number): boolean {
  if (size > mostBytes || places !== undefined) return false;
  if (classification.digestField !== undefined || classification.lists) return false;
  if (classification.kind === 'artifact') return classification.expected === undefined;
  const { rewrite, names, pinnedBy, fits } = classification;
  return !rewrite && !names && !pinnedBy && fits === undefined;
}

/** The response's body, where all of it is here and has the digest that it must have. */
export function takenWhole(
  response: Pick<UpstreamResponse, 'takeWhole'>,
  digest: Digest | undefined,
  options: WholeBodyOptions,
): WholeBody | undefined {
  let body: WholeBody | undefined;
  response.takeWhole(options.size, (bytes) => {
    const { sha256, matches } = proofOf(bytes, digest);
    if (matches) body = new WholeBody(options, bytes, sha256);
    return matches;
  });
  return body;
}
