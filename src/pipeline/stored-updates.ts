import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import { freshen, freshenByHead } from '../policy/freshen.ts';
import { mayStore, refusesRequest } from '../policy/storing.ts';
import { matchesVary, varyOf } from '../policy/vary.ts';
import type { Store } from '../storage/store.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import type { Resource } from './resource.ts';

/** The stored response as a 304 updates it; undefined where that is about another one. */
export function freshened(
  resource: Resource,
  stored: ArtifactMeta,
  { headers, requestTime, responseTime }: UpstreamResponse,
): ArtifactMeta | undefined {
  const requestHeaders = resource.request.headers;
  const meta = freshen(stored, { headers, requestTime, responseTime, requestHeaders });
  const vary = meta && selecting(resource, meta.headers);
  return meta && vary && vary !== '*' ? { ...meta, vary } : undefined;
}

/** What selects the response; what the ecosystem knows of that counts as if `Vary` had said so. */
export function selecting({ request, classification }: Resource, headers: RawHeaders) {
  const known = classification.kind === 'index' ? classification.vary : undefined;
  const all = known === undefined ? headers : [...headers, 'Vary', known.join(', ')];
  return varyOf(request.headers, all);
}

/** Brings what upstreams say of stored responses into the store. */
export class StoredUpdates {
  readonly #store: Store;
  readonly #failed: (url: string, error: unknown) => void;

  /** `failed` hears of what the store could not do: the clients do not notice. */
  constructor(store: Store, failed: (url: string, error: unknown) => void) {
    this.#store = store;
    this.#failed = failed;
  }

  /**
   * Keeps the response as it was updated, or forgets it where the update says so: false, and its body
   * is gone. What the request forbids to store leaves the stored one as it was.
   */
  async keep(resource: Resource, meta: ArtifactMeta): Promise<boolean> {
    const { url, headers } = resource.request;
    const verdict = mayStore({ method: 'GET', headers }, meta, resource.policy);
    const forget = !verdict.store && !refusesRequest(verdict.reason);
    try {
      if (verdict.store) await this.#store.put(url, meta);
      else if (forget) await this.#store.delete(url);
    } catch (error) {
      this.#failed(url, error);
    }
    return !forget;
  }

  /** What a 200 to HEAD says of the responses to GET that it could have selected. RFC 9111 section 4.3.5. */
  async byHead(resource: Resource, head: UpstreamResponse): Promise<void> {
    const { url, headers: requestHeaders } = resource.request;
    const { headers, requestTime, responseTime } = head;
    try {
      for (const stored of await this.#store.get(url)) {
        if (stored.status !== 200 || !matchesVary(stored.vary, requestHeaders)) continue;
        const meta = freshenByHead(stored, { headers, requestTime, responseTime });
        if (meta) await this.keep(resource, meta);
        else await this.#store.delete(url);
      }
    } catch (error) {
      this.#failed(url, error);
    }
  }
}
