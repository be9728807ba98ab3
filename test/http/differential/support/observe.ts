import type { Client } from '../../../support/client.ts';
import type { HttpOrigin } from '../../../support/http-origin.ts';
import type { Ask } from './cases.ts';

/** What one request came to. */
export interface Observed {
  readonly status: number;
  /** Of a 200 or 206: error pages are everyone's own. */
  readonly body?: string;
  readonly contentRange?: string;
  /** Requests that the origin got for it. */
  readonly asked: number;
  /** Of a hit, in tens of seconds: how long the test takes is no difference. */
  readonly age?: number;
}

/** A cache to be asked. */
export interface Cache {
  readonly url: string;
  /** Whether it tells the age of a hit. */
  readonly tellsAge: boolean;
  /** Resolves when what it got is stored. */
  settled(): Promise<void>;
}

/** Asks a cache in front of the origin, one request after the other, for a path of its own. */
export async function observe(
  cache: Cache,
  path: string,
  asks: readonly Ask[],
  { origin, client }: { readonly origin: HttpOrigin; readonly client: Client },
): Promise<readonly Observed[]> {
  const seen: Observed[] = [];
  const asked = () => origin.requests.filter(({ target }) => target === path).length;
  for (const { method = 'GET', headers = {}, origin: resource, older } of asks) {
    if (resource !== undefined) origin.serve(path, resource);
    // The clocks of other programs cannot be set.
    if (older !== undefined) await new Promise((resolve) => setTimeout(resolve, older));
    const before = asked();
    const response = await client.send(`${cache.url}${path}`, { method, headers });
    await cache.settled();
    const { status } = response;
    const contentRange = response.field('content-range');
    const requests = asked() - before;
    const age = response.field('age');
    seen.push({
      status,
      asked: requests,
      ...((status === 200 || status === 206) && { body: response.body.toString('latin1') }),
      ...(contentRange !== undefined && { contentRange }),
      ...(cache.tellsAge &&
        requests === 0 &&
        status < 400 && { age: Math.floor(Number(age) / 10) }),
    });
  }
  return seen;
}
