import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { Logger } from '../core/logger.ts';
import { decide } from '../policy/decide.ts';
import type { Store } from '../storage/store.ts';
import type { InFlight } from './in-flight.ts';
import { type Resource, usableFor } from './resource.ts';

export interface LookUpsOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What is stored of resources, where the store can tell: what it cannot is a miss. */
export class LookUps {
  readonly #options: LookUpsOptions;
  readonly #inFlight: InFlight;

  constructor(options: LookUpsOptions, inFlight: InFlight) {
    this.#options = options;
    this.#inFlight = inFlight;
  }

  /** All variants that say anything of the resource. Never fails. */
  of(resource: Resource): Promise<readonly ArtifactMeta[]> | readonly ArtifactMeta[] {
    const { store, log } = this.#options;
    const { url } = resource.request;
    const found = store.peek(url) ?? store.get(url);
    if (!(found instanceof Promise)) return usableFor(resource, found);
    return found.then(
      (variants) => usableFor(resource, variants),
      (err) => {
        log.warn({ url, err }, 'look-up failed');
        return [];
      },
    );
  }

  /**
   * What became fresh since so many exchanges had ended; nothing where none for the URL has ended since.
   */
  again(resource: Resource, since: number): Promise<ArtifactMeta | undefined> | undefined {
    if (!this.#inFlight.mayHaveEnded(resource.request.url, since)) return undefined;
    return this.#fresh(resource);
  }

  async #fresh(resource: Resource): Promise<ArtifactMeta | undefined> {
    const variants = await this.of(resource);
    const decision = decide(resource.request, variants, resource.policy, this.#options.now());
    return decision.kind === 'fresh' ? decision.meta : undefined;
  }
}
