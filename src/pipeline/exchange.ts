import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { ByteRange } from '../core/body.ts';
import { originOf } from '../core/canonical-url.ts';
import type { Digest } from '../core/digest.ts';
import { GatewayError } from '../core/errors.ts';
import type { InterimSink } from '../core/interim.ts';
import type { Logger } from '../core/logger.ts';
import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { mayServeStaleOnError } from '../policy/decide.ts';
import { requestFields } from '../policy/headers.ts';
import { mayStore } from '../policy/storing.ts';
import type { PartialBody, Store } from '../storage/store.ts';
import { discard } from '../upstream/discard.ts';
import type { DownloadedResponse, Downloader, DownloadRequest } from '../upstream/downloader.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import type { Client } from './asking.ts';
import { AskingAgain, type AskingAgainOptions, type SendOptions } from './asking-again.ts';
import { conditionsFor } from './conditions-for.ts';
import { downloadOf, sharedFields } from './download-of.ts';
import { Fill } from './fill.ts';
import { anotherDigestTold } from './fill-errors.ts';
import { UpstreamFillSource } from './fill-source.ts';
import { declaredSize, showsItsEnd } from './framing.ts';
import { headMeta } from './head-meta.ts';
import { confirmedByHead, headWouldTell } from './head-validation.ts';
import { type Arrival, type HeadMeta, type Via, viaOf } from './in-flight.ts';
import { KnownBodies } from './known-bodies.ts';
import { LaneBudget } from './lane-budget.ts';
import {
  contradicts,
  digestOf,
  type Fetch,
  isTold,
  type PublishedDigests,
} from './published-digests.ts';
import type { Resource } from './resource.ts';
import { asWhole, beginAnew, continuationFor, identityOf, leadsTo } from './resume.ts';
import { freshened, StoredUpdates, selecting } from './stored-updates.ts';
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
}

/** A response that is a part of the body. */
interface AskedPart {
  readonly range: ByteRange;
  /** Gives it up, and asks for the whole. */
  readonly again: () => Promise<Arrival>;
}

const viaField: ReadonlySet<string> = new Set(['via']);

/** Speaks with the upstreams on behalf of a key, and turns what comes into something to share. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #digests: PublishedDigests;
  readonly #updates: StoredUpdates;
  readonly #bodies: KnownBodies;
  readonly #again: AskingAgainOptions;
  readonly #document: Fetch = (...asked) => this.fetch(...asked);

  constructor(options: ExchangeOptions, digests: PublishedDigests) {
    this.#options = options;
    this.#digests = digests;
    const failed = (url: string, error: unknown): void => this.#storageFailed(url, error);
    this.#updates = new StoredUpdates(options.store, failed);
    this.#bodies = new KnownBodies(options.store, this.#updates, failed);
    this.#again = {
      send: (...asked) => this.#send(...asked),
      downloader: options.downloader,
      now: options.monotonic ?? (() => performance.now()),
      budget: new LaneBudget(),
      mostConnections: options.mostConnections,
    };
  }

  /**
   * Asks for the whole representation; with `stored`, whether that is still valid; where an earlier
   * fill left a part of it, and not `fromStart`, for the rest. Rejects with a
   * GatewayError when no upstream gave an answer worth having.
   */
  async fetch(
    asked: Resource,
    stored: ArtifactMeta | undefined,
    onInterim?: InterimSink,
    fromStart = false,
  ): Promise<Arrival> {
    const resource = isTold(asked) ? await this.#digests.completed(asked, this.#document) : asked;
    if (stored ? headWouldTell(resource, stored) : this.#bodies.known(resource)) {
      const told = await this.#toldByHead(resource, stored, onInterim);
      if (told) return told;
    }
    const { store } = this.#options;
    const conditions = stored ? conditionsFor(resource, stored) : [];
    const rest =
      stored || fromStart
        ? undefined
        : continuationFor(await store.leftovers(resource.request.url), resource);
    const headers = [...sharedFields(resource), ...(rest?.fields ?? conditions)];
    const size = rest?.leftover.size;
    const response = await this.#send(resource, headers, { onInterim, size });
    const via = viaOf(response);
    if (rest && (response.status === 206 || response.status === 416)) {
      const again = (): Promise<Arrival> => {
        response.abort();
        return this.fetch(resource, undefined, onInterim, true);
      };
      const continued = asWhole(rest, response);
      if (!continued) return again();
      return this.#share(resource, continued.whole, via, { range: continued.range, again });
    }
    if (response.status === 304 && conditions.length > 0) {
      discard(response);
      const meta = stored && freshened(resource, stored, response);
      // RFC 9111 section 4.3.4: a 304 for another representation updates nothing; ask unconditionally.
      // What is to be kept no more is gone with its body: the same.
      if (!meta || !(await this.#updates.keep(resource, meta))) {
        return this.fetch(resource, undefined, onInterim);
      }
      return { kind: 'validated', via, meta };
    }
    if (response.status === 206 || response.status === 304) {
      response.abort();
      throw new GatewayError('http_protocol_error', `${response.status} to a plain request`, {
        origin: 'upstream',
      });
    }
    if (stored) this.#staleRather(resource, stored, response);
    const whole = rest ? 'ranges-ignored' : fromStart ? 'from-start' : undefined;
    return await this.#share(resource, response, via, whole);
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

  async #share(
    resource: Resource,
    response: DownloadedResponse,
    via: Via,
    asked?: AskedPart | 'ranges-ignored' | 'from-start',
  ): Promise<Arrival> {
    const place = typeof asked === 'object' ? asked : undefined;
    const { request, policy } = resource;
    const view = { method: 'GET', headers: request.headers };
    const verdict = mayStore(view, response, policy);
    const digest = digestOf(resource, response);
    if (contradicts(resource, response)) {
      response.abort();
      response.demote('wrong-bytes');
      this.#digests.refused(resource, response.url, digest);
      throw anotherDigestTold();
    }
    const unshared = (reason: string): Arrival | Promise<Arrival> =>
      place ? place.again() : { kind: 'unshared', via, response, reason, digest };
    if (!verdict.store) return unshared(verdict.reason);
    if (!showsItsEnd(response)) return unshared('no-length');
    const vary = selecting(resource, response.headers);
    if (vary === '*') return unshared('vary');
    const meta = headMeta(resource, response, vary);
    const size = declaredSize(response.headers);
    const identity = identityOf(request.url, meta, digest);
    const anew = asked === 'from-start';
    let partial: PartialBody | undefined;
    try {
      const { store } = this.#options;
      partial = await (anew ? beginAnew(store, size, identity) : store.begin(size, identity));
    } catch (error) {
      // Without space for the body the clients are served all the same, from memory.
      this.#storageFailed(request.url, error);
    }
    if (place && !leadsTo(partial, place.range.first)) {
      await partial?.suspend();
      return place.again();
    }
    const fill = new Fill({
      key: request.url,
      size,
      partial,
      meta: withBody(meta),
      onFailure: this.#failureOf(request.url),
      ...(digest ? { digest } : this.#digests.keepIf(resource, response, () => fill.forgo())),
    });
    this.#bodies.follow(resource, fill);
    this.#digests.follow(resource, fill);
    const rangesIgnored = asked === 'ranges-ignored';
    const refetch = new AskingAgain(this.#again, resource, { size, rangesIgnored });
    const source = new UpstreamFillSource(fill, response, refetch, place?.range);
    if (digest) this.#watch(resource, { fill, source, url: response.url, digest });
    this.#options.transfers?.begin({ fill, source, request, startedAt: response.requestTime });
    return { kind: 'fill', via, meta, fill };
  }

  /** Holds it against those who brought a body if that turns out to be another one. */
  #watch(
    resource: Resource,
    of: { fill: Fill; source: UpstreamFillSource; url: string; digest: Digest },
  ): void {
    void of.fill.settled.then(() => {
      if (of.fill.failure?.code !== 'digest_mismatch') return;
      of.source.bringers.demote('wrong-bytes', originOf(resource.request.url));
      this.#digests.refused(resource, of.url, of.digest);
    });
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

  #failureOf(url: string): (error: unknown) => void {
    return (error) => this.#storageFailed(url, error);
  }

  #storageFailed(url: string, err: unknown): void {
    this.#options.log.warn({ url, err }, 'not stored');
  }
}

// Out here these keep what they need only: a closure keeps all that any other of its function does, and
// a fill lives until its body is stored.
function withBody(head: HeadMeta): (body: BodyRef) => ArtifactMeta {
  return (body) => ({ ...head, body });
}
