import type { Logger } from '../core/logger.ts';
import { mayStorePosted } from '../policy/storing.ts';
import type { Store } from '../storage/store.ts';
import { Fill } from './fill.ts';
import { declaredSize } from './framing.ts';
import { headMeta, type TimedHead } from './head-meta.ts';
import type { HeadMeta, InFlight } from './in-flight.ts';
import { PostedBody } from './posted-body.ts';
import type { Resource } from './resource.ts';
import { selecting } from './stored-updates.ts';

export interface PostedOptions {
  readonly store: Store;
  readonly log: Logger;
}

/** Stores the responses to POST that may answer a later GET. RFC 9110 section 9.3.3. */
export class Posted {
  readonly #options: PostedOptions;
  readonly #inFlight: InFlight;

  constructor(options: PostedOptions, inFlight: InFlight) {
    this.#options = options;
    this.#inFlight = inFlight;
  }

  /**
   * What the body of the response is to go through on its way to the client; undefined where it is
   * not to be stored. `resource` is what a GET of the same URL would get.
   */
  body(resource: Resource, response: TimedHead): PostedBody | undefined {
    const { request, policy } = resource;
    if (!mayStorePosted(request, response, policy)) return undefined;
    const vary = selecting(resource, response.headers);
    if (vary === '*') return undefined;
    const meta = headMeta(resource, response, vary);
    return new PostedBody(() => this.#begin(request.url, declaredSize(response.headers), meta));
  }

  async #begin(url: string, size: number | undefined, meta: HeadMeta): Promise<Fill | undefined> {
    const { store, log } = this.#options;
    const onFailure = (err: unknown): void => log.warn({ url, err }, 'not stored');
    try {
      const partial = await store.begin(size);
      const whole: ConstructorParameters<typeof Fill>[0]['meta'] = (body) => ({ ...meta, body });
      const fill = new Fill({ key: url, size, partial, meta: whole, onFailure });
      this.#inFlight.watch(url, fill);
      return fill;
    } catch (error) {
      onFailure(error);
      return undefined;
    }
  }
}
