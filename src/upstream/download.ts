import type { UpstreamTarget } from '../core/artifact-request.ts';
import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamPurpose } from '../core/upstream-observer.ts';
import { type Candidate, candidatesFor, fieldsFor, withoutCredentials } from './candidates.ts';
import { discard } from './discard.ts';
import { FailureMemory, orderUpstreams } from './mirrors.ts';
import { maxRedirects, redirectTarget } from './redirect.ts';
import type { BodySink, Transport, UpstreamResponse } from './upstream.ts';

export interface DownloadRequest {
  readonly method: string;
  /** Canonical; belongs to the first of `upstreams`, or stands alone. */
  readonly url: string;
  /** As for the transport: without `Host`, framing and hop-by-hop fields. */
  readonly headers: RawHeaders;
  readonly upstreams: readonly UpstreamTarget[];
  /** For `url` and the upstreams: private addresses are no obstacle. */
  readonly trusted: boolean;
  /** Only GET and HEAD are followed. */
  readonly redirects: 'follow' | 'forward';
  /** The same for the URL of a redirect to another origin, instead of the downloader's own. */
  readonly redirectTrusted?: (url: string) => boolean;
  /** Passed on to the transport. */
  readonly purpose?: UpstreamPurpose;
  /** Hears of each request when its head or its failure is there. */
  readonly onAttempt?: (attempt: Attempt) => void;
}

/** One request that was sent, and what became of it. */
export interface Attempt {
  readonly url: string;
  /** Status of the response, or the error instead of one. */
  readonly outcome: number | GatewayError;
}

/** The response that was settled on, with the way to it. */
export interface DownloadedResponse extends UpstreamResponse {
  /** In order; the last one is this response. */
  readonly attempts: readonly Attempt[];
}

export interface DownloaderOptions {
  /** Whether a redirect may lead to a private address; without it none may. */
  readonly redirectTrusted?: (url: string) => boolean;
  /** How long an upstream that could not be reached is asked last, in milliseconds. */
  readonly cooldownMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface Downloader {
  /**
   * The first answer worth having: the upstreams in order, the next one after an error that is
   * retryable or a 429, 500, 502, 503 or 504. What the last one says stands: its response whatever
   * its status, or its error, a GatewayError. There is no time limit to the whole.
   */
  fetch(request: DownloadRequest, signal?: AbortSignal): Promise<DownloadedResponse>;
}

/** Statuses by which another upstream may do better; a 404 is an answer. */
const failoverStatuses: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
const defaultCooldownMs = 10_000;

export function createDownloader(
  transport: Transport,
  options: DownloaderOptions = {},
): Downloader {
  return new FailoverDownloader(transport, options);
}

class FailoverDownloader implements Downloader {
  readonly #transport: Transport;
  readonly #options: DownloaderOptions;
  readonly #failures: FailureMemory;
  readonly #now: () => number;

  constructor(transport: Transport, options: DownloaderOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#failures = new FailureMemory(options.cooldownMs ?? defaultCooldownMs);
    this.#now = options.now ?? Date.now;
  }

  async fetch(request: DownloadRequest, signal?: AbortSignal): Promise<DownloadedResponse> {
    const { url, upstreams } = request;
    const ordered = orderUpstreams(upstreams, this.#failures.state, this.#now());
    const [first, ...others] = candidatesFor(url, upstreams, ordered);
    const attempts: Attempt[] = [];
    let candidate = first;
    for (;;) {
      const next = isSafe(request) ? others.shift() : undefined;
      try {
        const response = await this.#follow(request, candidate, attempts, signal);
        if (next === undefined || !failoverStatuses.has(response.status)) {
          return withAttempts(response, attempts);
        }
        discard(response);
      } catch (error) {
        const another = error instanceof GatewayError && error.retryable;
        if (next === undefined || !another) throw error;
      }
      candidate = next;
    }
  }

  /** One upstream's answer, redirects followed as far as the request wants. */
  async #follow(
    request: DownloadRequest,
    candidate: Candidate,
    attempts: Attempt[],
    signal: AbortSignal | undefined,
  ): Promise<UpstreamResponse> {
    const visited = new Set([candidate.url]);
    let { url } = candidate;
    let { trusted } = request;
    let headers = fieldsFor(request.headers, candidate);
    // Only configured hosts are remembered, and only where there is a choice.
    let failures = request.upstreams.length > 1 ? this.#failures : undefined;
    for (;;) {
      const to = { url, headers, trusted };
      const response = await this.#send(request, to, attempts, failures, signal);
      if (request.redirects === 'forward' || !isSafe(request)) return response;
      const target = this.#target(response);
      if (target === undefined) return response;
      discard(response);
      if (visited.has(target) || visited.size > maxRedirects) throw redirectLoop();
      visited.add(target);
      if (originOf(target) !== originOf(url)) {
        // RFC 9110 section 15.4: credentials stay with the origin they are for; they do not come back.
        headers = withoutCredentials(headers);
        trusted = (request.redirectTrusted ?? this.#options.redirectTrusted)?.(target) ?? false;
        failures = undefined;
      }
      url = target;
    }
  }

  #target(response: UpstreamResponse): string | undefined {
    try {
      return redirectTarget(response);
    } catch (error) {
      discard(response);
      throw error;
    }
  }

  async #send(
    { method, purpose, onAttempt }: DownloadRequest,
    to: { url: string; headers: RawHeaders; trusted: boolean },
    attempts: Attempt[],
    failures: FailureMemory | undefined,
    signal: AbortSignal | undefined,
  ): Promise<UpstreamResponse> {
    const origin = originOf(to.url);
    const record = (outcome: Attempt['outcome']): void => {
      const attempt = { url: to.url, outcome };
      attempts.push(attempt);
      onAttempt?.(attempt);
    };
    failures?.asked(origin, this.#now());
    try {
      const response = await this.#transport.send(
        { method, ...to, ...(purpose && { purpose }) },
        signal,
      );
      failures?.answered(origin);
      record(response.status);
      return response;
    } catch (error) {
      if (error instanceof GatewayError) {
        failures?.failed(origin, error.code, this.#now());
        record(error);
      }
      throw error;
    }
  }
}

function withAttempts(
  response: UpstreamResponse,
  attempts: readonly Attempt[],
): DownloadedResponse {
  const { status, headers, origin, url, requestTime, responseTime } = response;
  return {
    status,
    headers,
    origin,
    url,
    requestTime,
    responseTime,
    attempts,
    consume: (sink: BodySink) => response.consume(sink),
    resume: () => response.resume(),
    abort: () => response.abort(),
  };
}

/** RFC 9110 section 9.2.1: what may be asked again elsewhere without changing anything. */
function isSafe({ method }: DownloadRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

function redirectLoop(): GatewayError {
  return new GatewayError('redirect_loop', 'the redirects of the upstream do not end', {
    origin: 'upstream',
    retryable: true,
  });
}
