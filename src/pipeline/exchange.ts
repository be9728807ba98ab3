import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { Digest } from '../core/digest.ts';
import { GatewayError } from '../core/errors.ts';
import type { InterimSink } from '../core/interim.ts';
import type { Logger } from '../core/logger.ts';
import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { mayServeStaleOnError } from '../policy/decide.ts';
import { requestFields } from '../policy/headers.ts';
import type { Leftover, Store } from '../storage/store.ts';
import { discard } from '../upstream/discard.ts';
import type { DownloadedResponse, Downloader, DownloadRequest } from '../upstream/downloader.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import type { Client } from './asking.ts';
import type { Send, SendOptions } from './asking-again.ts';
import { conditionsFor } from './conditions-for.ts';
import { downloadOf, sharedFields } from './download-of.ts';
import type { HashThread } from './hash-thread.ts';
import { confirmedByHead, headWouldTell } from './head-validation.ts';
import { type Arrival, type Via, viaOf } from './in-flight.ts';
import { KnownBodies } from './known-bodies.ts';
import { LaneBudget } from './lane-budget.ts';
import { digestOf, type Fetch, isTold, type PublishedDigests } from './published-digests.ts';
import type { Resource } from './resource.ts';
import { asWhole, type Continuation, continuationFor } from './resume.ts';
import { Sharing } from './sharing.ts';
import { freshened, StoredUpdates } from './stored-updates.ts';
import type { Transfers } from './transfers.ts';

export interface ExchangeOptions {
  readonly store: Store;
  readonly downloader: Downloader;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds, on a clock that does not go back. */
  readonly monotonic?: () => number;
  /** The `Via` of a request to an upstream, from the client's own. */
  readonly via: (existing: string | undefined) => string;
  /** Connections at once for one body, besides what the mirrors have. */
  readonly mostConnections?: () => number;
  /** Hears of each fill. */
  readonly transfers?: Pick<Transfers, 'begin'>;
  /** Hashes large bodies where nobody waits for their hash. */
  readonly hashing?: Pick<HashThread, 'begin'>;
}

/** What is asked for, by `fetch`. */
interface Asked {
  readonly resource: Resource;
  readonly stored: ArtifactMeta | undefined;
  readonly onInterim: InterimSink | undefined;
  readonly fromStart: boolean;
}

const viaField: ReadonlySet<string> = new Set(['via']);

/** Speaks with the upstreams on behalf of a key, and turns what comes into something to share. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #digests: PublishedDigests;
  readonly #updates: StoredUpdates;
  readonly #bodies: KnownBodies;
  readonly #sharing: Sharing;
  readonly #document: Fetch = (...asked) => this.fetch(...asked);

  constructor(options: ExchangeOptions, digests: PublishedDigests) {
    this.#options = options;
    this.#digests = digests;
    const failed = (url: string, error: unknown): void => this.#storageFailed(url, error);
    this.#updates = new StoredUpdates(options.store, failed);
    this.#bodies = new KnownBodies(options.store, this.#updates, failed);
    const again = {
      send: (...asked: Parameters<Send>) => this.#send(...asked),
      downloader: options.downloader,
      now: options.monotonic ?? (() => performance.now()),
      budget: new LaneBudget(),
      mostConnections: options.mostConnections,
    };
    this.#sharing = new Sharing({ ...options, digests, bodies: this.#bodies, again, failed });
  }

  /**
   * Asks for the whole representation; with `stored`, whether that is still valid; where an earlier
   * fill left a part of it, and not `fromStart`, for the rest. Rejects with a
   * GatewayError when no upstream gave an answer worth having.
   */
  fetch(
    asked: Resource,
    stored: ArtifactMeta | undefined,
    onInterim?: InterimSink,
    fromStart = false,
  ): Promise<Arrival> {
    if (!isTold(asked)) return this.#ask({ resource: asked, stored, onInterim, fromStart });
    return this.#digests
      .completed(asked, this.#document)
      .then((resource) => this.#ask({ resource, stored, onInterim, fromStart }));
  }

  #ask(asking: Asked): Promise<Arrival> {
    const { resource, stored, onInterim } = asking;
    const byHead = stored ? headWouldTell(resource, stored) : this.#bodies.known(resource);
    if (!byHead) return this.#get(asking);
    return this.#toldByHead(resource, stored, onInterim).then((told) => told ?? this.#get(asking));
  }

  #get(asking: Asked): Promise<Arrival> {
    const { resource, stored, fromStart } = asking;
    const left = stored || fromStart ? [] : this.#options.store.leftovers(resource.request.url);
    const get = (each: readonly Leftover[]) =>
      this.#getRest(asking, continuationFor(each, resource));
    return left instanceof Promise ? left.then(get) : get(left);
  }

  /** `rest`: how to go on with what is there, where something is. */
  #getRest(asking: Asked, rest: Continuation | undefined): Promise<Arrival> {
    const { resource, stored, onInterim } = asking;
    const conditions = stored ? conditionsFor(resource, stored) : [];
    const headers = [...sharedFields(resource), ...(rest?.fields ?? conditions)];
    const size = rest?.leftover.size;
    const sent = this.#send(resource, headers, { onInterim, size });
    return sent.then((response) => this.#answered(asking, rest, conditions.length > 0, response));
  }

  #answered(
    { resource, stored, onInterim, fromStart }: Asked,
    rest: Continuation | undefined,
    isConditional: boolean,
    response: DownloadedResponse,
  ): Promise<Arrival> | Arrival {
    const via = viaOf(response);
    if (rest && (response.status === 206 || response.status === 416)) {
      const again = (): Promise<Arrival> => {
        response.abort();
        return this.fetch(resource, undefined, onInterim, true);
      };
      const continued = asWhole(rest, response);
      if (!continued) return again();
      const { whole, range } = continued;
      return this.#sharing.share(resource, whole, via, { range, again });
    }
    if (response.status === 304 && isConditional) {
      discard(response);
      const meta = stored && freshened(resource, stored, response);
      return this.#validated(resource, via, meta, onInterim);
    }
    if (response.status === 206 || response.status === 304) {
      response.abort();
      throw new GatewayError('http_protocol_error', `${response.status} to a plain request`, {
        origin: 'upstream',
      });
    }
    if (stored) this.#staleRather(resource, stored, response);
    const whole = rest ? 'ranges-ignored' : fromStart ? 'from-start' : undefined;
    return this.#sharing.share(resource, response, via, whole);
  }

  /**
   * RFC 9111 section 4.3.4: a 304 for another representation updates nothing; ask unconditionally. What
   * is to be kept no more is gone with its body: the same.
   */
  async #validated(
    resource: Resource,
    via: Via,
    meta: ArtifactMeta | undefined,
    onInterim: InterimSink | undefined,
  ): Promise<Arrival> {
    const isKept = meta !== undefined && (await this.#updates.keep(resource, meta));
    return isKept ? { kind: 'validated', via, meta } : this.fetch(resource, undefined, onInterim);
  }

  /** What a HEAD tells; undefined: a GET has to. */
  async #toldByHead(
    resource: Resource,
    stored: ArtifactMeta | undefined,
    onInterim: InterimSink | undefined,
  ): Promise<Arrival | undefined> {
    const to = { method: 'HEAD', ...(onInterim && { onInterim }) };
    const ask = () => this.#send(resource, sharedFields(resource), to);
    if (!stored) return this.#bodies.linked(resource, ask);
    const head = await ask();
    this.#staleRather(resource, stored, head);
    discard(head);
    const meta = confirmedByHead(resource, stored, head);
    if (!meta || !(await this.#updates.keep(resource, meta))) return undefined;
    return { kind: 'validated', via: viaOf(head), meta };
  }

  /** Throws where the answer to a validation is an error that what is stored may stand in for. */
  #staleRather({ request, policy }: Resource, stored: ArtifactMeta, to: UpstreamResponse): void {
    const { status } = to;
    if (!mayServeStaleOnError(request, stored, policy, this.#options.now(), status)) return;
    discard(to);
    throw new GatewayError('destination_unavailable', `validation answered ${status}`, {
      origin: 'upstream',
      retryable: true,
      receivedStatus: status,
    });
  }

  /**
   * Sends the request as the client made it, for that client alone. A document that is to be
   * rewritten is asked for whole: the client's conditions and ranges are about another one.
   */
  async fetchAlone(resource: Resource, client?: Client): Promise<DownloadedResponse> {
    const { request, classification } = resource;
    const rewritten = classification.kind === 'index' && classification.rewrite !== undefined;
    const fields = rewritten ? sharedFields(resource) : requestFields(request.headers);
    const { method } = request;
    const onInterim: InterimSink = (...interim) => client?.interim(...interim);
    const response = await this.#send(resource, fields, { method, onInterim }, client?.left);
    if (method === 'HEAD' && response.status === 200)
      await this.#updates.byHead(resource, response);
    return response;
  }

  /** The request that `fetch` would send for the whole of the resource, as far as mirrors go. */
  async downloadFor(resource: Resource): Promise<DownloadRequest> {
    const headers = sharedFields(resource);
    return { ...downloadOf(await this.#digests.completed(resource)), headers };
  }

  /** What the body of a response for one client alone must have. */
  async digestFor(resource: Resource, response: UpstreamResponse): Promise<Digest | undefined> {
    if (resource.request.method !== 'GET' || response.status !== 200) return undefined;
    return digestOf(await this.#digests.completed(resource, this.#document), response);
  }

  #send(
    resource: Resource,
    headers: RawHeaders,
    more?: SendOptions,
    signal?: AbortSignal,
  ): Promise<DownloadedResponse> {
    const before = fieldValue(headers, 'via');
    const others = before === undefined ? headers : withoutFields(headers, viaField);
    const fields = [...others, 'Via', this.#options.via(before)];
    const request = { ...downloadOf(resource), ...more, headers: fields };
    return this.#options.downloader.fetch(request, signal);
  }

  #storageFailed(url: string, err: unknown): void {
    this.#options.log.warn({ url, err }, 'not stored');
  }
}
