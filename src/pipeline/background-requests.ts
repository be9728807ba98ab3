import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { Logger } from '../core/logger.ts';
import { decide } from '../policy/decide.ts';
import type { Store } from '../storage/store.ts';
import type { Downloader } from '../upstream/downloader.ts';
import type { FailedValidations } from './failed-validations.ts';
import type { Fill } from './fill.ts';
import { storedOf } from './in-flight.ts';
import { type Obtained, type ObtainParts, obtain } from './obtain.ts';
import { background, type Resource } from './resource.ts';

export interface BackgroundOptions {
  readonly store: Store;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly downloader: Downloader;
  readonly log: Logger;
}

/** Requests behind the clients' backs, one at a time for each URL. */
export class BackgroundRequests {
  readonly #options: BackgroundOptions;
  readonly #parts: ObtainParts;
  readonly #urls = new Set<string>();

  readonly #failed: FailedValidations;

  constructor(options: BackgroundOptions, parts: ObtainParts, failed: FailedValidations) {
    this.#options = options;
    this.#parts = parts;
    this.#failed = failed;
  }

  /** RFC 5861 section 3. */
  validate(resource: Resource, stored: ArtifactMeta, variants: readonly ArtifactMeta[]): void {
    void this.#start(resource, () => this.#ask(resource, variants, stored));
  }

  /** The same for what is stored, however fresh it is; nothing where nothing is. */
  refresh(resource: Resource): void {
    void this.#start(resource, async () => {
      const variants = await this.#options.store.get(resource.request.url);
      const stored = variants.find(({ status }) => status === 200);
      return stored && this.#ask(resource, variants, stored);
    });
  }

  /**
   * What is stored of the resource, fresh or validated first, or what replaced it; where the upstreams
   * give no answer, as it is. Undefined where there is nothing, or nothing for everybody.
   */
  async current(resource: Resource): Promise<ArtifactMeta | undefined> {
    const { store, now, log } = this.#options;
    const { request, policy } = resource;
    const { url } = request;
    const variants = await store.get(url);
    const decision = decide(request, variants, policy, now());
    if (decision.kind === 'fresh') return decision.meta;
    if (decision.kind !== 'validate') return undefined;
    if (this.#failed.recent(url, now())) return decision.meta;
    try {
      const meta = await this.#newest(resource, variants, decision.meta);
      this.#failed.answered(url);
      return meta;
    } catch (err) {
      this.#failed.failed(url, err, now());
      log.warn({ url, err }, 'background request failed');
      return decision.meta;
    }
  }

  /**
   * What the upstreams have of the resource now, however fresh what is stored is: that, or what has
   * replaced it. Rejects where they give no answer.
   */
  async validated(resource: Resource): Promise<ArtifactMeta | undefined> {
    const variants = await this.#options.store.get(resource.request.url);
    return this.#newest(
      resource,
      variants,
      variants.find(({ status }) => status === 200),
    );
  }

  async #newest(
    resource: Resource,
    variants: readonly ArtifactMeta[],
    stored: ArtifactMeta | undefined,
  ): Promise<ArtifactMeta | undefined> {
    const obtained = await this.#ask(resource, variants, stored);
    letGo(obtained);
    if (obtained.kind === 'alone') return undefined;
    const { arrival } = obtained;
    return storedOf(arrival);
  }

  /**
   * A body that turns out not to be what its digest says is fetched once more, where somebody else
   * may have it: whoever brought it is held to be wrong by then.
   */
  replace(resource: Resource, fill: Fill): void {
    if (!fill.isChecked) return;
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
    const lookAgain = () => undefined;
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
