import type { UpstreamTarget } from '../core/artifact-request.ts';
import type { Digest } from '../core/digest.ts';
import { GatewayError } from '../core/errors.ts';
import type { InterimSink } from '../core/interim.ts';
import type { MirrorExplanation, MirrorFault } from '../core/mirror-figures.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamPurpose } from '../core/upstream-observer.ts';
import type { Candidate } from './candidates.ts';
import { discard } from './discard.ts';
import { Attempter, type Outcome } from './download-attempt.ts';
import { type After, hedged } from './hedge.ts';
import type { Plan } from './mirror-plan.ts';
import { Mirrors } from './mirrors.ts';
import { repositoriesOf } from './repositories.ts';
import type { Transport, UpstreamResponse } from './upstream.ts';
import { withPlaces } from './with-places.ts';

export interface DownloadRequest {
  readonly method: string;
  /** Canonical; belongs to the first of `upstreams`, or stands alone. */
  readonly url: string;
  /**
   * As for the transport: without `Host`, framing and hop-by-hop fields. A `Range` of known ends is a
   * segment: where there is a choice, its answer is checked against it and a strong `If-Range`.
   */
  readonly headers: RawHeaders;
  readonly upstreams: readonly UpstreamTarget[];
  /** For `url` and the upstreams: private addresses are no obstacle. */
  readonly trusted: boolean;
  /** Only GET and HEAD are followed. */
  readonly redirects: 'follow' | 'forward';
  /** Fields (lower case) of a redirect's response that the one it leads to gets where it has none. */
  readonly keptFields?: readonly string[];
  /** `configured`: in that order, for documents that must be of one moment. Without it `measured`. */
  readonly order?: 'measured' | 'configured';
  /** The upstreams are no copies of each other: each is asked only where all before it have nothing. */
  readonly repositories?: boolean;
  /** What the whole object must have: mirrors of anybody may serve it then. */
  readonly digest?: Digest;
  /** Bytes of the whole object, where they are known. */
  readonly size?: number;
  /** What is asked instead of `url`. */
  readonly places?: Places;
  /** Origins that have another representation of this object; those that show it are added. */
  readonly avoid?: Set<string>;
  /** The same for the URL of a redirect to another origin, instead of the downloader's own. */
  readonly redirectTrusted?: (url: string) => boolean;
  /** One of the parallel parts of a large body: over a connection of its own. */
  readonly lane?: boolean;
  /** Passed on to the transport. */
  readonly purpose?: UpstreamPurpose;
  /** Hears of each request when its head or its failure is there. */
  readonly onAttempt?: (attempt: Attempt) => void;
  /** Hears of the interim responses of whoever is asked. */
  readonly onInterim?: InterimSink;
}

/** Where an object may be that need not be under one URL. */
export interface Places {
  /** Canonical, in the order in which to ask; each belongs to the first of the upstreams. */
  readonly urls: readonly string[];
  /** Bytes of the whole object: what declares another length is another one. */
  readonly size: number | undefined;
}

/** One request that was sent, and what became of it. */
export interface Attempt {
  readonly url: string;
  /** Status of the response, or the error instead of one. */
  readonly outcome: number | GatewayError;
}

/**
 * The response that was settled on, with the way to it. Its bytes and times are measured as they
 * come; it holds one of its mirror's places until it is consumed to its end or aborted.
 */
export interface DownloadedResponse extends UpstreamResponse {
  /** In the order in which they came; the last one is this response. */
  readonly attempts: readonly Attempt[];
  /** Origin of the mirror that was chosen; undefined where there was no choice. */
  readonly mirror: string | undefined;
  /** Says that its bytes were not what they should have been: others are preferred from now on. */
  demote(fault: MirrorFault): void;
}

export interface DownloaderOptions {
  /** What is known of the mirrors; without it the downloader learns for itself. */
  readonly mirrors?: Mirrors;
  /** Whether a redirect may lead to a private address; without it none may. */
  readonly redirectTrusted?: (url: string) => boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Timers, instead of the system's. */
  readonly after?: After;
}

export interface Downloader {
  /**
   * The first answer worth having: the mirrors in the order of their expected times, the next one
   * after an error that is retryable, a 429, 500, 502, 503 or 504, or an answer that is not the
   * segment asked for. Requests to one origin queue for its places. What the last upstream says
   * stands: its response whatever its status, or its error, a GatewayError. For a segment nobody is
   * waited for but the first mirror. Of repositories the next
   * one is asked after a 404 or 410 and nothing else: one that fails must not lend its names to
   * another. Of places the next one is asked where the object is not; where somebody has another one
   * and nobody this, `digest_mismatch` is thrown. There is no time limit to the whole.
   */
  fetch(request: DownloadRequest, signal?: AbortSignal): Promise<DownloadedResponse>;
  /** Over how many connections at once a body may come, of which `request` asks for a part. */
  connections(request: DownloadRequest): number;
  /** Origin of the mirror that `fetch` would ask now; undefined: it would have to wait for a place. */
  next(request: DownloadRequest): string | undefined;
  /** Which mirror `fetch` would ask now, and why; it changes nothing. */
  explain(request: DownloadRequest): MirrorExplanation;
}

export function createDownloader(
  transport: Transport,
  options: DownloaderOptions = {},
): Downloader {
  return withPlaces(new MirrorDownloader(transport, options));
}

const systemAfter: After = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};

class MirrorDownloader implements Downloader {
  readonly #mirrors: Mirrors;
  readonly #attempter: Attempter;
  readonly #after: After;

  constructor(transport: Transport, options: DownloaderOptions) {
    const now = options.now ?? Date.now;
    this.#mirrors = options.mirrors ?? new Mirrors(now);
    this.#after = options.after ?? systemAfter;
    this.#attempter = new Attempter(transport, {
      mirrors: this.#mirrors,
      after: this.#after,
      redirectTrusted: options.redirectTrusted ?? (() => false),
    });
  }

  explain(request: DownloadRequest): MirrorExplanation {
    const [first = request] = repositoriesOf(request);
    return this.#mirrors.explain(first);
  }

  connections(request: DownloadRequest): number {
    return this.#mirrors.connections(request);
  }

  next(request: DownloadRequest): string | undefined {
    return this.#mirrors.next(request);
  }

  async fetch(request: DownloadRequest, signal?: AbortSignal): Promise<DownloadedResponse> {
    const attempts: Attempt[] = [];
    const [first = request, ...others] = repositoriesOf(request);
    let response = await this.#fetch(first, attempts, signal);
    for (const next of others) {
      if (response.status !== 404 && response.status !== 410) break;
      discard(response);
      response = await this.#fetch(next, attempts, signal);
    }
    return response;
  }

  async #fetch(
    request: DownloadRequest,
    attempts: Attempt[],
    signal: AbortSignal | undefined,
  ): Promise<DownloadedResponse> {
    const plan = this.#mirrors.plan(request);
    const remaining = plan.ranking.order.map(({ option }) => option.candidate);
    const around = { request, plan, attempts };
    // The answer of an upstream: it stands when nobody has a better one.
    let kept: Outcome | undefined;
    try {
      for (let next = remaining.shift(); next !== undefined; next = remaining.shift()) {
        // Whoever wants one part of many does better to ask for another one than to wait in a line.
        const canWait = plan.segment === undefined || attempts.length === 0;
        if (!canWait && !this.#mirrors.hasPlace(next, request.purpose)) continue;
        const outcomes =
          plan.lateMs !== undefined && remaining.length > 0
            ? await this.#raced(around, next, remaining, signal)
            : [await this.#attempter.attempt(around, next, signal)];
        for (const outcome of outcomes) {
          if (outcome.good && outcome.response) {
            if (kept?.response) discard(kept.response);
            return outcome.response;
          }
          kept = prefer(outcome, kept);
        }
        if (signal?.aborted) throw outcomes.at(-1)?.error ?? noAnswer();
        // The operator forbids it, or the gateway ends: no other mirror changes that.
        if (kept?.error && !kept.error.retryable) throw kept.error;
      }
    } catch (error) {
      if (kept?.response) discard(kept.response);
      throw error;
    }
    if (kept?.response) return kept.response;
    throw kept?.error ?? noAnswer();
  }

  /** The first one, and when it is late the next one too. */
  async #raced(
    around: { request: DownloadRequest; plan: Plan; attempts: Attempt[] },
    first: Candidate,
    remaining: Candidate[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Outcome[]> {
    const { plan } = around;
    const started = performance.now();
    const { outcomes, overtaken } = await hedged<Outcome>({
      first: (linked) => this.#attempter.attempt(around, first, linked),
      second: (linked) => {
        const [other] = remaining;
        if (other === undefined || !this.#mirrors.mayHedge()) return undefined;
        remaining.shift();
        this.#mirrors.tracker.of(other.origin).hedges += 1;
        return this.#attempter.attempt(around, other, linked);
      },
      lateMs: plan.lateMs ?? 0,
      good: (outcome) => outcome.good,
      drop: ({ response }) => response?.abort(),
      after: this.#after,
      signal,
    });
    // Where it stood in our own queue it was not the mirror that was late.
    if (overtaken && this.#mirrors.gates.queued(first.origin) === 0)
      this.#mirrors.late(first.origin, plan.sizeClass, performance.now() - started);
    return outcomes;
  }
}

/** A mirror that is to be verified has no say in what the answer is. */
function prefer(outcome: Outcome, kept: Outcome | undefined): Outcome | undefined {
  if (outcome.candidate.trust !== 'full') {
    if (outcome.response) discard(outcome.response);
    return kept;
  }
  if (kept?.response) discard(kept.response);
  return outcome;
}

function noAnswer(): GatewayError {
  return new GatewayError('destination_unavailable', 'no upstream gave an answer', {
    origin: 'upstream',
    retryable: true,
  });
}
