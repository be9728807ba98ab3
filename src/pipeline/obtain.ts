import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { Digest } from '../core/digest.ts';
import type { InterimSink } from '../core/interim.ts';
import { fieldValue } from '../core/raw-headers.ts';
import { matchesVary } from '../policy/vary.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import type { Client } from './asking.ts';
import type { Exchange } from './exchange.ts';
import {
  type Arrival,
  flightKey,
  type InFlight,
  selectingFields,
  type Via,
  viaOf,
} from './in-flight.ts';
import type { Resource } from './resource.ts';

/** How often a request may find that the exchange it waited for brought another variant. */
const maxJoins = 3;

/** What the upstreams gave for a request, shared with others or for it alone. */
export type Obtained =
  | {
      readonly kind: 'shared';
      readonly arrival: Exclude<Arrival, { kind: 'unshared' }>;
      readonly leader: boolean;
    }
  | Alone;

/** A response for one request alone. */
export interface Alone {
  readonly kind: 'alone';
  readonly via: Via;
  readonly response: UpstreamResponse;
  readonly reason: string;
  /** What its body must have. */
  readonly digest: Digest | undefined;
  /** Whether the response answers the client's own range and conditions already. */
  readonly asAsked: boolean;
}

export interface ObtainOptions {
  /** The stored response to validate. */
  readonly stored?: ArtifactMeta;
  readonly variants: readonly ArtifactMeta[];
  /** The client wants the origin's word: an exchange that was answered before will not do. */
  readonly unanswered: boolean;
  /** The response that was stored since `variants` were looked up, if one was that will do. */
  readonly lookAgain: () => Promise<ArtifactMeta | undefined> | undefined;
  /** Who waits for it, where somebody does. */
  readonly client?: Client;
}

export interface ObtainParts {
  readonly exchange: Exchange;
  readonly inFlight: InFlight;
}

/** Joins the exchange under way for the resource or leads a new one; alone where it cannot be shared. */
export async function obtain(
  { exchange, inFlight }: ObtainParts,
  resource: Resource,
  { stored, variants, unanswered, lookAgain, client }: ObtainOptions,
): Promise<Obtained> {
  const { request, classification } = resource;
  const known = classification.kind === 'index' ? (classification.vary ?? []) : [];
  const start = (interim: InterimSink): Promise<Arrival> => {
    // Leading means that no exchange is under way: what the last one stored is visible by now.
    const fetch = (): Promise<Arrival> => exchange.fetch(resource, stored, interim);
    const again = lookAgain();
    return again?.then((meta) => (meta ? { kind: 'found', meta } : fetch())) ?? fetch();
  };
  let fields = selectingFields(variants, known);
  for (let joins = 0; joins < maxJoins; joins++) {
    const key = flightKey(request.url, request.headers, fields);
    const { arrival, leader } = inFlight.join(key, start, { unanswered, client });
    const arrived = await arrival;
    if (arrived.kind === 'unshared') {
      if (leader) return asLeader(exchange, resource, arrived, client);
      break;
    }
    // What another request found stored is not the origin's word, which this one wants.
    if (arrived.kind === 'found' && unanswered && !leader) continue;
    if (matchesVary(arrived.meta.vary, request.headers)) {
      if (arrived.kind === 'fill' && !leader) {
        // What is wrong for one is wrong for all: it is not asked for again for each of them.
        if (arrived.fill.failure) throw arrived.fill.failure;
        if (!arrived.fill.accepts(0)) break;
      }
      return { kind: 'shared', arrival: arrived, leader };
    }
    fields = selectingFields([...variants, arrived.meta], known);
  }
  return alone(exchange, resource, 'not shared', client);
}

/** The leader's own request asked for the whole; a client that wants a part asks for that part. */
function asLeader(
  exchange: Exchange,
  resource: Resource,
  { via, response, reason, digest }: Extract<Arrival, { kind: 'unshared' }>,
  client?: Client,
): Promise<Obtained> | Obtained {
  const wantsPart = fieldValue(resource.request.headers, 'range') !== undefined;
  if (wantsPart || resource.request.method === 'HEAD') {
    response.abort();
    return alone(exchange, resource, reason, client);
  }
  return { kind: 'alone', via, response, reason, digest, asAsked: false };
}

export async function alone(
  exchange: Exchange,
  resource: Resource,
  reason: string,
  client?: Client,
): Promise<Alone> {
  const response = await exchange.fetchAlone(resource, client);
  const digest = await exchange.digestFor(resource, response);
  return { kind: 'alone', via: viaOf(response), response, reason, digest, asAsked: true };
}
