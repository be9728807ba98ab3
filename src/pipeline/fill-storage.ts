import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import { GatewayError } from '../core/errors.ts';
import type { Arrivals } from './arrivals.ts';
import type { FillSource, FillStorageOptions } from './fill-contract.ts';
import { leavesRightBytes, unreadable } from './fill-errors.ts';

/** What a fill shows of itself for that. */
export interface TakingUp {
  readonly present: Arrivals;
  /** More can be read. */
  readonly advance: () => void;
}

/** The storing side of a fill: it may fail at any byte, and the fill goes on from memory. */
export class FillStorage {
  readonly #options: FillStorageOptions;
  #active: boolean;
  #forgone = false;

  constructor(options: FillStorageOptions) {
    this.#options = options;
    this.#active = options.partial !== undefined;
  }

  /** Whether the body is on its way into the store. */
  get active(): boolean {
    return this.#active;
  }

  /** Whether an earlier fill left something of the body: `takeUp` is to be called. */
  get resumes(): boolean {
    return this.#options.partial?.resumed !== undefined;
  }

  /** Takes bytes; `full`: wait for `drained`, `failed`: these and later bytes are not stored. */
  write(position: number, chunk: Uint8Array): 'taken' | 'full' | 'failed' {
    const { partial, onFailure } = this.#options;
    if (!partial || !this.#active) return 'failed';
    const flows = partial.write(position, chunk);
    if (!partial.failure) return flows ? 'taken' : 'full';
    this.#active = false;
    onFailure(partial.failure);
    return 'failed';
  }

  /**
   * Takes up what an earlier fill left: `present` has it as claimed at once, and each piece for what
   * it is when it was checked.
   */
  async takeUp({ present, advance }: TakingUp, source: FillSource): Promise<void> {
    const resumed = this.#options.partial?.resumed;
    if (!resumed) return;
    present.claim(resumed.pieces);
    await resumed.check((piece, intact) => {
      present.checked(piece, intact);
      // There is no place any more for what would come instead.
      if (!intact && !this.#active) throw unreadable(undefined);
      advance();
    });
    source.checked?.();
  }

  /** Goes on keeping the bytes for the readers, but not beyond them. */
  forgo(): void {
    this.#forgone = true;
  }

  async drained(): Promise<void> {
    await this.#options.partial?.drained();
  }

  /** Copies stored bytes into `target`; how many. */
  async read(position: number, target: Uint8Array): Promise<number> {
    const { partial } = this.#options;
    if (partial) return partial.read(position, target);
    throw new GatewayError('storage_failed', 'the body is not stored', { origin: 'gateway' });
  }

  /** The meta as stored; undefined when the body is not to be. What fails is to be discarded. */
  commit(body: BodyRef): Promise<ArtifactMeta> | undefined {
    const { partial, key, meta } = this.#options;
    if (!partial || !this.#active || this.#forgone) {
      this.#active = false;
      this.discard();
      return undefined;
    }
    return partial.commit(key, meta(body));
  }

  /** Nobody reads any more. */
  release(): void {
    this.#options.partial?.release();
  }

  /**
   * The body ended with an error: what is stored is left for a later fill, where it may be of use.
   * Resolves when it is; never rejects.
   */
  async failed(error: GatewayError): Promise<void> {
    const { partial, onFailure } = this.#options;
    const left = !this.#forgone && leavesRightBytes(error);
    if (!left) this.discard();
    const suspended = left ? partial?.suspend().catch(onFailure) : undefined;
    this.release();
    await suspended;
  }

  discard(): void {
    this.#options.partial?.discard().catch(this.#options.onFailure);
  }
}
