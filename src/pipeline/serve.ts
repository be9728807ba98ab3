import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { CacheLookups } from '../core/cache-lookups.ts';
import { GatewayError } from '../core/errors.ts';
import type { CacheOutcome, ForwardReason } from '../core/outcome.ts';
import type { CacheStatus, RequestRecord } from '../core/request-record.ts';
import { whenThere } from '../core/when-there.ts';
import { type Decision, decide, mayServeStaleOnError } from '../policy/decide.ts';
import type { DownloadRequest } from '../upstream/downloader.ts';
import { aloneReason } from './alone-reason.ts';
import { type Answer, answerFrom } from './answer.ts';
import { answerAlone } from './answer-alone.ts';
import { type Asking, type Client, hold } from './asking.ts';
import { BackgroundRequests } from './background-requests.ts';
import { Deriver } from './derive.ts';
import { Exchange, type ExchangeOptions } from './exchange.ts';
import { FailedValidations } from './failed-validations.ts';
import { withFirstBytes } from './first-bytes.ts';
import { Generations, isNamed, type Placed } from './generations.ts';
import { InFlight } from './in-flight.ts';
import { LookUps } from './look-ups.ts';
import { mergedAnswer, mergeOf } from './merged.ts';
import { type Alone, alone, type Obtained, type ObtainParts, obtain } from './obtain.ts';
import { Posted } from './posted.ts';
import { present, withBytesIn } from './present.ts';
import { PublishedDigests } from './published-digests.ts';
import { noteError, noteFill, noteVia, wholeSeconds } from './record-notes.ts';
import {
  arrivedRepresentation,
  type SelectedRepresentation,
  storedRepresentation,
} from './representation.ts';
import type { Resource } from './resource.ts';

export type ServeOptions = ExchangeOptions;

/** What the decision came to: a representation to answer from, or a response to pass on. */
export type Selected = RepresentationSelected | Alone;

interface RepresentationSelected {
  readonly kind: 'representation';
  readonly representation: SelectedRepresentation;
}

/**
 * Answers requests from the cache: look up, decide, answer from what is stored, or join the exchange
 * that brings it. Notes on the record what it did.
 */
export class Serve {
  /** For responses to POST that a later GET may have. */
  readonly posted: Posted;
  readonly #options: ServeOptions;
  readonly #exchange: Exchange;
  readonly #deriver: Deriver;
  readonly #inFlight = new InFlight();
  readonly #behind: BackgroundRequests;
  readonly #failed = new FailedValidations();
  readonly #lookUps: LookUps;
  readonly #parts: ObtainParts;
  readonly #generations: Generations;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#exchange = new Exchange(options, new PublishedDigests(options, this.#inFlight));
    this.#deriver = new Deriver(options);
    this.posted = new Posted(options, this.#inFlight);
    this.#lookUps = new LookUps(options, this.#inFlight);
    this.#parts = { exchange: this.#exchange, inFlight: this.#inFlight };
    this.#behind = new BackgroundRequests(options, this.#parts, this.#failed);
    this.#generations = new Generations(options, this.#parts, this.#behind);
  }

  /** Fills under way and their readers, for the metrics. */
  get activity(): { fills: number; readers: number } {
    let readers = 0;
    for (const fill of this.#inFlight.fills) readers += fill.readers;
    return { fills: this.#inFlight.fills.size, readers };
  }

  /** Of the caches of its own. */
  get lookups(): readonly CacheLookups[] {
    return [this.#deriver.lookups];
  }

  /** The answer to a GET or HEAD. Rejects with a GatewayError when there is no answer. */
  answer(resource: Resource, record: RequestRecord, client: Client): Promise<Answer> {
    const merge = mergeOf(resource);
    if (!merge) return this.#one(resource, record, client);
    const answer = (each: Resource, of: RequestRecord) => this.#one(each, of, client);
    return mergedAnswer({ ...this.#options, answer }, resource, merge, record);
  }

  async #one(asked: Resource, record: RequestRecord, client: Client): Promise<Answer> {
    const { resource, pinnedBy, fits }: Placed = isNamed(asked)
      ? await this.#generations.placed(asked, record, client)
      : { resource: asked };
    const since = this.#inFlight.ended;
    const asking: Asking = { resource, pinnedBy, fits, record, client, since, held: [] };
    const found = this.#lookUps.of(resource);
    const variants = found instanceof Promise ? await found : found;
    try {
      return await this.#answer(asking, variants);
    } catch (error) {
      this.#generations.failed(asking, error);
      if (!(error instanceof GatewayError) || error.origin !== 'storage') throw error;
      this.#options.log.warn({ url: resource.request.url, err: error }, 'stored body unreadable');
      // A record whose body is gone, or cannot be read, is a miss.
      return await this.#answer(asking, []);
    } finally {
      this.#generations.follow(asking);
      for (const fill of asking.held) fill.release();
    }
  }

  /** What would be asked of the upstreams for the whole of the resource. */
  downloadFor(resource: Resource): Promise<DownloadRequest> {
    return this.#exchange.downloadFor(resource);
  }

  /** What is on its way for these URLs now is not to be stored, nor shared with who comes later. */
  forget(concerned: (url: string) => boolean): void {
    this.#inFlight.forget(concerned);
  }

  /** Forgets stored responses, in the background: an unsafe request may have changed them. */
  invalidate(urls: readonly string[]): void {
    const { store, log } = this.#options;
    this.forget((url) => urls.includes(url));
    for (const url of urls) {
      store.delete(url).catch((err: unknown) => log.warn({ url, err }, 'invalidation failed'));
    }
  }

  #answer(asking: Asking, variants: readonly ArtifactMeta[]): Promise<Answer> | Answer {
    return whenThere(this.#select(asking, variants), (selected) => {
      const shared = selected.kind === 'representation' ? selected.representation : undefined;
      this.#generations.given(asking, shared);
      return selected.kind === 'alone'
        ? answerAlone(asking.resource, selected)
        : this.#answerFrom(asking, selected.representation);
    });
  }

  #answerFrom(asking: Asking, selected: SelectedRepresentation): Promise<Answer> | Answer {
    const { request } = asking.resource;
    return whenThere(present(this.#deriver, asking, selected), (presented) =>
      whenThere(answerFrom(request, presented), (answer) => {
        if (!answer) return this.#answerPrecondition(asking);
        if (asking.record.outcome === 'miss') return withBytesIn(answer, selected);
        return presented.fill ? answer : withFirstBytes(answer);
      }),
    );
  }

  /** RFC 9111 section 4.3.2: whether If-Match fails is for the origin to say, not for a stored response. */
  async #answerPrecondition({ resource, record, client }: Asking): Promise<Answer> {
    const asked = await alone(this.#exchange, resource, 'precondition', client);
    return answerAlone(resource, this.#noteAlone(asked, record));
  }

  #select(asking: Asking, variants: readonly ArtifactMeta[]): Promise<Selected> | Selected {
    const { resource, record } = asking;
    const { request, policy } = resource;
    const decision = decide(request, variants, policy, this.#options.now());
    switch (decision.kind) {
      case 'fresh':
        return this.#reused(decision, record, 'hit');
      case 'stale-while-revalidate':
        this.#behind.validate(resource, decision.meta, variants);
        return this.#reused(decision, record, 'stale');
      case 'stale':
        return this.#reused(decision, record, 'stale');
      case 'only-if-cached':
        throw new GatewayError('not_cached', 'only-if-cached, and not in the cache', {
          origin: 'client',
        });
      case 'validate':
        return this.#unasked(asking, decision) ?? this.#forward(asking, variants, decision);
      case 'miss':
        return this.#forward(asking, variants, decision);
    }
  }

  /** What is stale, at once, where the upstreams gave no answer a moment ago. */
  #unasked(
    { resource, record }: Asking,
    decision: Extract<Decision, { kind: 'validate' }>,
  ): Selected | undefined {
    if (decision.reason !== 'stale') return undefined;
    const failure = this.#failed.recent(resource.request.url, this.#options.now());
    if (!failure || !this.#mayServeStale(resource, decision.meta, failure)) return undefined;
    noteError(record, failure);
    return this.#reused(decision, record, 'stale');
  }

  #forward(
    asking: Asking,
    variants: readonly ArtifactMeta[],
    decision: Extract<Decision, { kind: 'validate' | 'miss' }>,
  ): Promise<Selected> {
    const { url } = asking.resource.request;
    asking.record.cacheStatus = { fwd: decision.reason };
    if (decision.kind === 'miss') return this.#ask(asking, variants, decision.reason);
    const stored = decision.meta;
    return this.#ask(asking, variants, decision.reason, stored).catch((error) => {
      const { resource, record } = asking;
      this.#failed.failed(url, error, this.#options.now());
      if (!this.#mayServeStale(resource, stored, error)) throw error;
      noteError(record, error);
      return this.#stored(stored, record, 'stale', { ...record.cacheStatus });
    });
  }

  #ask(
    asking: Asking,
    variants: readonly ArtifactMeta[],
    why: ForwardReason,
    stored?: ArtifactMeta,
  ): Promise<Selected> {
    const { resource, record, client, since } = asking;
    const reason = aloneReason(resource, stored !== undefined);
    if (reason !== undefined) {
      const asked = alone(this.#exchange, resource, reason, client);
      return asked.then((response) => this.#noteAlone(response, record));
    }
    const unanswered = why === 'request';
    const lookAgain = () => this.#lookUps.again(resource, since);
    const options = { variants, unanswered, lookAgain, client, stored };
    return obtain(this.#parts, resource, options).then((obtained) => {
      this.#failed.answered(resource.request.url);
      return this.#take(obtained, asking);
    });
  }

  #take(obtained: Obtained, asking: Asking): Selected {
    const { resource, record } = asking;
    if (obtained.kind === 'alone') return this.#noteAlone(obtained, record);
    const { arrival, leader } = obtained;
    if (arrival.kind === 'found') return this.#stored(arrival.meta, record, 'hit', { hit: true });
    noteVia(record, arrival.via);
    if (!leader) record.cacheStatus.collapsed = true;
    const { store, now } = this.#options;
    if (arrival.kind === 'validated') record.outcome = 'revalidated';
    if (arrival.kind === 'whole') noteFill(record, leader, arrival.body.storing);
    if (arrival.kind === 'fill') {
      const { fill } = arrival;
      hold(asking, fill);
      // In place of the hold that it was made with.
      if (leader) fill.release();
      if (leader) this.#behind.replace(resource, fill);
      noteFill(record, leader, fill.storing);
    }
    const representation = arrivedRepresentation(store, arrival, now(), leader);
    return { kind: 'representation', representation };
  }

  #noteAlone(asked: Alone, record: RequestRecord): Alone {
    record.cacheStatus = { fwd: record.cacheStatus.fwd ?? 'request' };
    noteVia(record, asked.via);
    record.outcome = 'bypass';
    record.detail = asked.reason;
    return asked;
  }

  /** What is stored, without asking anybody. */
  #reused(
    { meta, ttl }: { readonly meta: ArtifactMeta; readonly ttl: number },
    record: RequestRecord,
    outcome: CacheOutcome,
  ): Selected {
    return this.#stored(meta, record, outcome, { hit: true, ttl: wholeSeconds(ttl) });
  }

  #stored(
    meta: ArtifactMeta,
    record: RequestRecord,
    outcome: CacheOutcome,
    status: CacheStatus,
  ): Selected {
    record.outcome = outcome;
    record.cacheStatus = status;
    const representation = storedRepresentation(this.#options.store, meta, this.#options.now());
    return { kind: 'representation', representation };
  }

  #mayServeStale({ request, policy }: Resource, stored: ArtifactMeta, error: unknown): boolean {
    if (!(error instanceof GatewayError) || error.origin === 'client') return false;
    const failure = error.receivedStatus ?? 'no-answer';
    return mayServeStaleOnError(request, stored, policy, this.#options.now(), failure);
  }
}
