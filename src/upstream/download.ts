import { GatewayError } from '../core/errors.ts';
import type { MirrorExplanation } from '../core/mirror-figures.ts';
import type { Candidate } from './candidates.ts';
import { discard } from './discard.ts';
import { Attempter, type Outcome } from './download-attempt.ts';
import type { Attempt, DownloadedResponse, Downloader, DownloadRequest } from './downloader.ts';
import { type After, hedged } from './hedge.ts';
import type { Plan } from './mirror-plan.ts';
import { Mirrors } from './mirrors.ts';
import { repositoriesOf } from './repositories.ts';
import type { Transport } from './upstream.ts';
import { withPlaces } from './with-places.ts';

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

  fetch(request: DownloadRequest, signal?: AbortSignal): Promise<DownloadedResponse> {
    const repositories = repositoriesOf(request);
    if (repositories.length === 1) return this.#fetch(repositories[0] ?? request, [], signal);
    return this.#firstOf(repositories, signal);
  }

  async #firstOf(
    [first, ...others]: readonly DownloadRequest[],
    signal: AbortSignal | undefined,
  ): Promise<DownloadedResponse> {
    const attempts: Attempt[] = [];
    let response = await this.#fetch(first as DownloadRequest, attempts, signal);
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
    const remaining = [...plan.order];
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
