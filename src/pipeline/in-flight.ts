import type { ArtifactMeta, VaryField } from '../core/artifact-meta.ts';
import type { Digest } from '../core/digest.ts';
import type { InterimSink } from '../core/interim.ts';
import { PassingMap } from '../core/passing-map.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { Roster } from '../core/roster.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import type { Client } from './asking.ts';
import type { Fill } from './fill.ts';
import type { WholeBody } from './whole-body.ts';

/** Which upstream answered, for the record. */
export interface Via {
  readonly origin: string;
  readonly status: number;
  /** Milliseconds from sending to head. */
  readonly firstByteMs: number;
  /** The mirror that was chosen, where there was a choice. */
  readonly mirror: string | undefined;
}

/** What the response says of its way. */
export function viaOf(response: UpstreamResponse & { readonly mirror?: string | undefined }): Via {
  const { origin, status, requestTime, responseTime, mirror } = response;
  const firstByteMs = responseTime - requestTime;
  return { origin, status, firstByteMs, mirror };
}

/** A stored response's head before its body is known. */
export type HeadMeta = Omit<ArtifactMeta, 'body'>;

/** What one upstream exchange brought for its key. */
export type Arrival =
  /** A response to share while it arrives. */
  | { readonly kind: 'fill'; readonly via: Via; readonly meta: HeadMeta; readonly fill: Fill }
  /** A small one that is here already: it is stored once it is in its place here. */
  | { readonly kind: 'whole'; readonly via: Via; readonly meta: HeadMeta; readonly body: WholeBody }
  /** The stored response is valid: as it was updated. */
  | { readonly kind: 'validated'; readonly via: Via; readonly meta: ArtifactMeta }
  /** Stored while the request was on its way here: there is nothing to fetch. */
  | { readonly kind: 'found'; readonly meta: ArtifactMeta }
  /** Only for the request that asked: whoever else waits asks for itself. */
  | {
      readonly kind: 'unshared';
      readonly via: Via;
      readonly response: UpstreamResponse;
      readonly reason: string;
      readonly digest: Digest | undefined;
    };

/** Exchanges that ended of which the keys are known. */
const remembered = 64;

interface Flight {
  readonly arrival: Promise<Arrival>;
  /** Who hears of what comes before it. */
  readonly waiting: Client[];
  arrived: boolean;
  /** Nobody is to have it from the store. */
  forgone: boolean;
}

/** What goes into the store. */
type Kept = Fill | WholeBody;

function keptOf(arrival: Arrival): Kept | undefined {
  if (arrival.kind === 'fill') return arrival.fill;
  return arrival.kind === 'whole' ? arrival.body : undefined;
}

/** What was stored in the end, or is already; undefined where nothing was. */
export async function storedOf(
  arrival: Exclude<Arrival, { kind: 'unshared' }>,
): Promise<ArtifactMeta | undefined> {
  if (arrival.kind === 'fill') return arrival.fill.settled;
  return arrival.kind === 'whole' ? arrival.body.settled : arrival.meta;
}

/**
 * The exchanges under way, at most one a key and set of selecting request fields: a stampede of
 * clients becomes one upstream request. RFC 9111 section 4 (collapsed requests).
 */
export class InFlight {
  readonly #flights = new PassingMap<Flight>();
  readonly #fills = new Roster<Kept>();
  /** Those of `#fills` that nobody joins, with their URLs. */
  readonly #watched = new Roster<{ readonly fill: Fill; readonly url: string }>();
  /** The keys of the latest that ended, each at its number's place. */
  readonly #latest: string[] = [];
  #ended = 0;

  /** Exchanges that have ended so far. */
  get ended(): number {
    return this.#ended;
  }

  /**
   * Whether an exchange for the URL may have ended since there were so many: what was looked up before
   * that may be out of date.
   */
  mayHaveEnded(url: string, since: number): boolean {
    if (this.#ended - since > remembered) return true;
    for (let number = since; number < this.#ended; number += 1) {
      if (this.#latest[number % remembered]?.startsWith(url)) return true;
    }
    return false;
  }

  /** What is on its way into the store, and how many read it meanwhile. */
  get fills(): Iterable<{ readonly readers: number }> & { readonly size: number } {
    return this.#fills;
  }

  /**
   * The exchange under way for the key, or a new one by `start`. `unanswered`: only one whose head
   * is still to come will do (the client asked for a validation of its own). `client` hears of what
   * comes before the arrival from now on.
   */
  join(
    key: string,
    start: (interim: InterimSink) => Promise<Arrival>,
    { unanswered = false, client }: { unanswered?: boolean; client?: Client | undefined } = {},
  ): { arrival: Promise<Arrival>; leader: boolean } {
    const current = this.#flights.get(key);
    if (current && !(unanswered && current.arrived)) {
      if (client && !current.arrived) current.waiting.push(client);
      return { arrival: current.arrival, leader: false };
    }
    const waiting = client ? [client] : [];
    const tellAll: InterimSink = (status, headers) => {
      for (const one of waiting) one.interim(status, headers);
    };
    const arrival = start(tellAll);
    const flight: Flight = { arrival, waiting, arrived: false, forgone: false };
    this.#flights.set(key, flight);
    arrival.then(
      (arrived) => {
        flight.arrived = true;
        waiting.length = 0;
        const kept = keptOf(arrived);
        if (kept) this.#follow(key, flight, kept);
        else this.#end(key, flight);
        if (arrived.kind === 'whole') arrived.body.store();
      },
      () => this.#end(key, flight),
    );
    return { arrival, leader: true };
  }

  /** A body that comes by another way than an exchange: nobody joins it, but it can be forgotten. */
  watch(url: string, fill: Fill): void {
    const watched = { fill, url };
    this.#watched.add(watched);
    this.#fills.add(fill);
    void fill.settled.then(() => {
      this.#watched.delete(watched);
      this.#fills.delete(fill);
      this.#note(url);
    });
  }

  /** Lets go of the exchanges for these URLs: who waits is still served, nobody else, nor the store. */
  forget(concerned: (url: string) => boolean): void {
    for (const { fill, url } of this.#watched) if (concerned(url)) fill.forgo();
    for (const [key, flight] of this.#flights) {
      if (!concerned(key.split('\n', 1)[0] as string)) continue;
      this.#end(key, flight);
      // What has not come yet is forgone when it does.
      flight.forgone = true;
      flight.arrival.then(
        (arrived) => keptOf(arrived)?.forgo(),
        () => undefined,
      );
    }
  }

  /** Resolves once what has arrived whole for the URL is stored; what is still arriving is not awaited. */
  async committed(url: string): Promise<void> {
    for (const [key, { arrival, arrived }] of this.#flights) {
      if (!arrived || (key !== url && !key.startsWith(`${url}\n`))) continue;
      const kept = keptOf(await arrival);
      if (kept?.complete) await kept.settled;
    }
  }

  #follow(key: string, flight: Flight, kept: Kept): void {
    if (flight.forgone) kept.forgo();
    this.#fills.add(kept);
    void kept.settled.then(() => {
      this.#fills.delete(kept);
      this.#end(key, flight);
    });
  }

  #note(key: string): void {
    this.#latest[this.#ended % remembered] = key;
    this.#ended += 1;
  }

  #end(key: string, flight: Flight): void {
    this.#note(key);
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** The key of an exchange: requests that differ in one of the fields do not share one. */
export function flightKey(key: string, headers: RawHeaders, fields: readonly string[]): string {
  return fields.reduce((id, name) => `${id}\n${name}: ${fieldValue(headers, name) ?? ''}`, key);
}

const none: readonly string[] = [];

/** Field names that are known to select among the variants, in a stable order. */
export function selectingFields(
  variants: readonly { vary: readonly VaryField[] }[],
  known: readonly string[],
): readonly string[] {
  if (variants.length === 0 && known.length === 0) return none;
  const names = new Set([...known, ...variants.flatMap(({ vary }) => vary.map(([name]) => name))]);
  return [...names].sort();
}
