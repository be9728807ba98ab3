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
export function obtain(
  parts: ObtainParts,
  resource: Resource,
  options: ObtainOptions,
): Promise<Obtained> {
  const { classification } = resource;
  const known = classification.kind === 'index' ? (classification.vary ?? []) : [];
  const fields = selectingFields(options.variants, known);
  return join({ parts, resource, options, known }, fields, 1);
}

/** A request that an exchange may answer. */
interface Joining {
  readonly parts: ObtainParts;
  readonly resource: Resource;
  readonly options: ObtainOptions;
  /** Fields that select the response whether or not it says so. */
  readonly known: readonly string[];
}

/** Joins the exchange that is selected by these fields, for the `joins`th time. */
function join(joining: Joining, fields: readonly string[], joins: number): Promise<Obtained> {
  const { parts, resource, options } = joining;
  const { exchange, inFlight } = parts;
  const { request } = resource;
  const { stored, unanswered, lookAgain, client } = options;
  const start = (interim: InterimSink): Promise<Arrival> => {
    // Leading means that no exchange is under way: what the last one stored is visible by now.
    const fetch = (): Promise<Arrival> => exchange.fetch(resource, stored, interim);
    const again = lookAgain();
    return again?.then((meta) => (meta ? { kind: 'found', meta } : fetch())) ?? fetch();
  };
  const key = flightKey(request.url, request.headers, fields);
  const { arrival, leader } = inFlight.join(key, start, { unanswered, client });
  return arrival.then((arrived) => {
    if (arrived.kind === 'unshared') {
      return leader
        ? asLeader(exchange, resource, arrived, client)
        : alone(exchange, resource, 'not shared', client);
    }
    // What another request found stored is not the origin's word, which this one wants.
    const isHearsay = arrived.kind === 'found' && unanswered && !leader;
    const isForIt = !isHearsay && matchesVary(arrived.meta.vary, request.headers);
    if (isForIt && (leader || isOpen(arrived))) return { kind: 'shared', arrival: arrived, leader };
    if (isForIt || joins === maxJoins) return alone(exchange, resource, 'not shared', client);
    const variants = [...options.variants, arrived.meta];
    return join(joining, isHearsay ? fields : selectingFields(variants, joining.known), joins + 1);
  });
}

/** Whether who comes now may have it from its first byte. Throws what is wrong for all. */
function isOpen(arrived: Arrival): boolean {
  if (arrived.kind !== 'fill') return true;
  // It is not asked for again for each of them.
  if (arrived.fill.failure) throw arrived.fill.failure;
  return arrived.fill.accepts(0);
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
