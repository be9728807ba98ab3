import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { Logger } from '../core/logger.ts';
import type { Downloader } from '../upstream/download.ts';
import type { Fill } from './fill.ts';
import { type Obtained, type ObtainParts, obtain } from './obtain.ts';
import { background, type Resource } from './resource.ts';

export interface BackgroundOptions {
  readonly downloader: Downloader;
  readonly log: Logger;
}

/** Requests behind the clients' backs, one at a time for each URL. */
export class BackgroundRequests {
  readonly #options: BackgroundOptions;
  readonly #parts: ObtainParts;
  readonly #urls = new Set<string>();

  constructor(options: BackgroundOptions, parts: ObtainParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** RFC 5861 section 3. */
  validate(resource: Resource, stored: ArtifactMeta, variants: readonly ArtifactMeta[]): void {
    void this.#start(resource, () => this.#ask(resource, variants, stored));
  }

  /**
   * A body that turns out not to be what its digest says is fetched once more, where somebody else
   * may have it: whoever brought it is held to be wrong by then.
   */
  replace(resource: Resource, fill: Fill): void {
    void fill.settled.then(async () => {
      if (fill.failure?.code !== 'digest_mismatch') return;
      await this.#start(resource, async () =>
        (await this.#hasChoice(resource)) ? this.#ask(resource, []) : undefined,
      );
    });
  }

  #ask(
    resource: Resource,
    variants: readonly ArtifactMeta[],
    stored?: ArtifactMeta,
  ): Promise<Obtained> {
    const lookAgain = async () => undefined;
    const more = { variants, unanswered: false, lookAgain, ...(stored && { stored }) };
    return obtain(this.#parts, background(resource), more);
  }

  /** Whether there is more than one place where it may be had. */
  async #hasChoice(resource: Resource): Promise<boolean> {
    const download = await this.#parts.exchange.downloadFor(resource);
    return this.#options.downloader.explain(download).candidates.length > 1;
  }

  async #start(resource: Resource, ask: () => Promise<Obtained | undefined>): Promise<void> {
    const { url } = resource.request;
    if (this.#urls.has(url)) return;
    this.#urls.add(url);
    try {
      letGo(await ask());
    } catch (err) {
      this.#options.log.warn({ url, err }, 'background request failed');
    } finally {
      this.#urls.delete(url);
    }
  }
}

/** What is not stored is of no use. */
function letGo(obtained: Obtained | undefined): void {
  if (obtained?.kind === 'alone') obtained.response.abort();
  else if (obtained?.arrival.kind === 'fill' && obtained.leader) obtained.arrival.fill.release();
}
