import type { BodyRef } from '../core/artifact-meta.ts';
import type { Store } from '../storage/store.ts';
import { discard } from '../upstream/discard.ts';
import type { DownloadedResponse } from '../upstream/downloader.ts';
import type { Fill } from './fill.ts';
import { declaredSize } from './framing.ts';
import { headMeta } from './head-meta.ts';
import { type Arrival, viaOf } from './in-flight.ts';
import { contradicts } from './published-digests.ts';
import { remember } from './remember.ts';
import type { Resource } from './resource.ts';
import { type StoredUpdates, selecting } from './stored-updates.ts';

/** Bodies remembered at most; the oldest is forgotten, and fetched again where it is asked for elsewhere. */
const atMost = 10_000;

/**
 * The bodies that were stored lately, by their SHA-256: one that has its digest in its URL needs not be
 * fetched from a second URL. That it is there for this one is asked by HEAD: what a repository does not
 * have, or does not show, is not found because another one has it.
 */
export class KnownBodies {
  readonly #store: Store;
  readonly #updates: StoredUpdates;
  readonly #failed: (url: string, error: unknown) => void;
  readonly #sizes = new Map<string, number>();

  /** `failed` hears of what the store could not do: then the body is fetched. */
  constructor(store: Store, updates: StoredUpdates, failed: (url: string, error: unknown) => void) {
    this.#store = store;
    this.#updates = updates;
    this.#failed = failed;
  }

  /** Remembers what the fill brings, once it is stored. */
  follow({ classification }: Resource, fill: Fill): void {
    if (classification.digestField === undefined) return;
    void fill.settled.then(() => {
      if (!fill.complete || fill.sha256 === undefined) return;
      remember(this.#sizes, fill.sha256, fill.present.bytes, atMost);
    });
  }

  /** The body of the resource, where it was stored lately and has its digest in its URL. */
  known({ classification }: Resource): BodyRef | undefined {
    if (classification.kind !== 'artifact' || classification.digestField === undefined) {
      return undefined;
    }
    const { digest } = classification;
    const size = digest?.algorithm === 'sha256' ? this.#sizes.get(digest.hex) : undefined;
    if (digest === undefined || size === undefined || size === 0) return undefined;
    return { sha256: digest.hex, size };
  }

  /**
   * The resource with a body that is stored already, where the answer to `ask`, a HEAD, allows it;
   * undefined: it has to be fetched.
   */
  async linked(
    resource: Resource,
    ask: () => Promise<DownloadedResponse>,
  ): Promise<Arrival | undefined> {
    const body = await this.#stored(resource);
    if (body === undefined) return undefined;
    const head = await ask();
    discard(head);
    const { status, headers } = head;
    if (status !== 200 || declaredSize(headers) !== body.size) return undefined;
    const vary = selecting(resource, headers);
    if (vary === '*' || contradicts(resource, head)) return undefined;
    const meta = { ...headMeta(resource, head, vary), body };
    return (await this.#updates.keep(resource, meta))
      ? { kind: 'validated', via: viaOf(head), meta }
      : undefined;
  }

  async #stored(resource: Resource): Promise<BodyRef | undefined> {
    const body = this.known(resource);
    if (body === undefined) return undefined;
    try {
      const reader = await this.#store.openBody(body, { first: 0, last: 0 });
      reader?.close();
      return reader && body;
    } catch (error) {
      this.#failed(resource.request.url, error);
      return undefined;
    }
  }
}
