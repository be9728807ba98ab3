import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import type { Held } from '../core/held.ts';
import type { StoredSource } from '../pipeline/answer.ts';

/** What the fast path asks of the store: all of it at once, and without waiting. */
export interface HotStore {
  /** Whoever holds something peeks at it once in each, if it is used. */
  readonly turn: number;
  peek(key: string): readonly ArtifactMeta[] | undefined;
  hold(key: string): Held<readonly ArtifactMeta[]> | undefined;
  peekBody(body: BodyRef): Uint8Array | undefined;
  holdBody(body: BodyRef): Held<Uint8Array> | undefined;
  countHeld(withBody: boolean): void;
  peekReader(body: BodyRef, range?: ByteRange, lead?: Uint8Array): BodyReader | undefined;
  peekPart(body: BodyRef, range: ByteRange): readonly Uint8Array[] | undefined;
}

/** What an answer is made from, held on to in the store's memory: it is looked up once, not for each request. */
export class HeldSource {
  readonly #store: HotStore;
  readonly #key: string;
  readonly #stored: StoredSource;
  readonly #records: Held<readonly ArtifactMeta[]>;
  readonly #derived: Held<unknown> | undefined;
  #body: Held<Uint8Array> | undefined;
  /** The store's, when the use was noted last. */
  #turn: number;

  /** Undefined unless the store still has this very list of variants under the key. */
  static of(
    store: HotStore,
    key: string,
    variants: readonly ArtifactMeta[],
    stored: StoredSource,
  ): HeldSource | undefined {
    const { derivedKey } = stored;
    const records = store.hold(key);
    const derived = derivedKey === undefined ? undefined : store.hold(derivedKey);
    if (records?.value !== variants) return undefined;
    if (derivedKey !== undefined && derived === undefined) return undefined;
    return new HeldSource(store, key, stored, records, derived);
  }

  private constructor(
    store: HotStore,
    key: string,
    stored: StoredSource,
    records: Held<readonly ArtifactMeta[]>,
    derived: Held<unknown> | undefined,
  ) {
    this.#store = store;
    this.#key = key;
    this.#stored = stored;
    this.#records = records;
    this.#derived = derived;
    this.#turn = store.turn;
  }

  /** Whether the records are there, as they were. */
  get there(): boolean {
    if (this.#records.value === undefined) return false;
    return this.#derived === undefined || this.#derived.value !== undefined;
  }

  /** Counts a use; it is noted for the order of eviction when that is due, and where it is `late`. */
  use(late: boolean): void {
    const store = this.#store;
    if (late || store.turn !== this.#turn) this.#note();
    else store.countHeld(this.#body?.value !== undefined);
  }

  /** The whole body, where that is in memory. */
  bytes(): Uint8Array | undefined {
    const held = this.#body?.value;
    if (held !== undefined) return held;
    this.#body = this.#store.holdBody(this.#stored.body);
    return this.#body?.value;
  }

  /** The bytes of a part of it, where these are in memory. */
  part(part: ByteRange): readonly Uint8Array[] | undefined {
    // Of a large body the whole is never there.
    const pieces = this.#body ? undefined : this.#store.peekPart(this.#stored.body, part);
    if (pieces !== undefined) return pieces;
    const bytes = this.bytes();
    return bytes && [bytes.subarray(part.first, part.last + 1)];
  }

  #note(): void {
    const store = this.#store;
    const { body, derivedKey } = this.#stored;
    this.#turn = store.turn;
    store.peek(this.#key);
    if (derivedKey !== undefined) store.peek(derivedKey);
    if (this.#body !== undefined) store.peekBody(body);
  }
}
