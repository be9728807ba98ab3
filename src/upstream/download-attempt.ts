import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { type Candidate, fieldsFor, withoutCredentials } from './candidates.ts';
import { Delivery } from './delivery.ts';
import { discard } from './discard.ts';
import type { Attempt, DownloadedResponse, DownloadRequest } from './downloader.ts';
import type { After } from './hedge.ts';
import type { Plan } from './mirror-plan.ts';
import type { Mirrors } from './mirrors.ts';
import { joined, keptOf, provenFields } from './passed-fields.ts';
import { maxRedirects, redirectTarget } from './redirect.ts';
import { sizeClassOf } from './size-class.ts';
import type { Transport, UpstreamRequest, UpstreamResponse } from './upstream.ts';
import { judge } from './verdict.ts';

/** What an attempt belongs to. */
export interface Around {
  readonly request: DownloadRequest;
  readonly plan: Plan;
  readonly attempts: Attempt[];
}

/** What came of asking one mirror: a response or an error. */
export interface Outcome {
  readonly candidate: Candidate;
  /** The response is an answer to the request; false with a response: only if nobody has a better one. */
  readonly good: boolean;
  readonly response?: DownloadedResponse;
  readonly error?: GatewayError;
}

export interface AttempterOptions {
  readonly mirrors: Mirrors;
  readonly after: After;
  readonly redirectTrusted: (url: string) => boolean;
}

interface Followed {
  readonly response: UpstreamResponse;
  /** Of all requests on the way. */
  readonly firstByteMs: number;
  /** What is to be kept of the redirects. */
  readonly kept: RawHeaders;
}

/** What lies behind an answer that may be a redirect. */
interface Way {
  readonly firstByteMs: number;
  readonly kept: RawHeaders;
  readonly visited: readonly string[];
}

/** By then a mirror has heard that a connection was ended, and has its place free again. */
const hearingMs = 25;

/** Asks one mirror, and tells what it learns of it. */
export class Attempter {
  readonly #transport: Transport;
  readonly #options: AttempterOptions;

  constructor(transport: Transport, options: AttempterOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  /** Waits for a place and asks. Rejects only with what is no GatewayError. */
  async attempt(
    around: Around,
    candidate: Candidate,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    const { mirrors } = this.#options;
    const { request, plan } = around;
    const { origin } = candidate;
    const limit = mirrors.concurrency(candidate, request.purpose);
    let entered = false;
    try {
      const waiting = mirrors.gates.enter(origin, { key: request.url, limit }, signal);
      if (waiting !== undefined) await waiting;
      entered = true;
      mirrors.asked(origin, limit);
      return this.#judged(around, candidate, await this.#follow(around, candidate, signal));
    } catch (error) {
      if (entered) mirrors.gates.leave(origin);
      if (!(error instanceof GatewayError)) throw error;
      if (entered) mirrors.failed(origin, plan.sizeClass, error);
      return { candidate, good: false, error };
    }
  }

  #judged(
    around: Around,
    candidate: Candidate,
    { response, firstByteMs, kept }: Followed,
  ): Outcome {
    const { mirrors } = this.#options;
    const { request, plan } = around;
    const { origin } = candidate;
    const bytes = lengthOf(response);
    const verdict = judge(
      request,
      candidate,
      plan.mode === 'only' ? undefined : plan.segment,
      response,
    );
    switch (verdict.kind) {
      case 'good':
        mirrors.answered(
          candidate,
          request,
          { status: response.status, bytes },
          { firstByteMs, expected: plan.sizeClass },
        );
        break;
      case 'failing':
        mirrors.refused(origin, plan.sizeClass, {
          headers: verdict.throttled ? response.headers : undefined,
          beside: plan.segment !== undefined && mirrors.gates.active(origin) > 1,
        });
        break;
      case 'fault':
        mirrors.demote(origin, plan.sizeClass, verdict.fault);
        request.avoid?.add(origin);
        break;
    }
    const good = verdict.kind === 'good';
    // It may be kept while others are asked, at the same origin perhaps: it holds no place meanwhile.
    if (!good) mirrors.gates.leave(origin);
    const delivery = this.#delivery(around, candidate, response, { hasPlace: good, kept, bytes });
    return { candidate, good, response: delivery };
  }

  #delivery(
    { request, plan, attempts }: Around,
    candidate: Candidate,
    response: UpstreamResponse,
    {
      hasPlace,
      kept,
      bytes = plan.expectedBytes,
    }: {
      readonly hasPlace: boolean;
      readonly kept: RawHeaders;
      readonly bytes: number | undefined;
    },
  ): Delivery {
    const { mirrors, after } = this.#options;
    const { origin, trust } = candidate;
    const sizeClass = sizeClassOf(bytes);
    const before = mirrors.gates.active(origin) - 1;
    // A silence may end a body early only where the rest of it can be asked for elsewhere.
    const resumable = plan.mode !== 'only' && isResumable(response);
    return new Delivery({
      response,
      headers: trust === 'full' ? joined(response.headers, kept) : provenFields(response.headers),
      attempts,
      mirror: plan.mode === 'only' ? undefined : origin,
      buckets: mirrors.buckets(candidate),
      idleMs: resumable ? mirrors.timeouts(candidate)?.idleMs : undefined,
      after,
      ended: (how, seen) => {
        const beside = (before + mirrors.gates.active(origin) - 1) / 2;
        const leave = (): void => mirrors.gates.leave(origin);
        if (hasPlace && how === 'whole') leave();
        else if (hasPlace) after(hearingMs, leave);
        mirrors.delivered(origin, sizeClass, how, { ...seen, beside });
      },
      demoted: (fault) => {
        mirrors.demote(origin, sizeClass, fault);
        request.avoid?.add(origin);
      },
    });
  }

  /** One mirror's answer, redirects followed as far as the request wants. */
  #follow(
    around: Around,
    candidate: Candidate,
    signal: AbortSignal | undefined,
  ): Promise<Followed> {
    const { request, plan } = around;
    const { method, purpose, onInterim } = request;
    const { url, trusted = request.trusted } = candidate;
    const headers = fieldsFor(request.headers, candidate);
    // HTTP/2 is for many small bodies; a large one would be as fast as its window, and hold up others.
    const lane = request.lane ?? plan.sizeClass === 'large';
    const timeouts = plan.mode === 'only' ? undefined : this.#options.mirrors.timeouts(candidate);
    const to = { method, url, headers, trusted, redirected: false, purpose, lane, timeouts };
    return this.#hop(around, candidate, signal, { ...to, onInterim }, start);
  }

  #hop(
    around: Around,
    candidate: Candidate,
    signal: AbortSignal | undefined,
    to: UpstreamRequest,
    way: Way,
  ): Promise<Followed> {
    const { request } = around;
    return this.#transport.send(to, signal).then(
      (response) => {
        tell(around, to.url, response.status);
        const firstByteMs = way.firstByteMs + response.responseTime - response.requestTime;
        const follows =
          isSafe(request) && !(request.redirects === 'forward' && candidate.trust === 'full');
        const url = follows ? nextUrl(response) : undefined;
        if (url === undefined) return { response, firstByteMs, kept: way.kept };
        discard(response);
        const kept = joined(keptOf(response, request.keptFields ?? []), way.kept);
        const visited = [...way.visited, to.url];
        if (visited.includes(url) || visited.length > maxRedirects) throw redirectLoop();
        const next = this.#redirected(request, candidate, to, url);
        return this.#hop(around, candidate, signal, next, { firstByteMs, kept, visited });
      },
      (error) => {
        if (error instanceof GatewayError) tell(around, to.url, error);
        throw error;
      },
    );
  }

  /** The same request to where the redirect leads. */
  #redirected(
    request: DownloadRequest,
    candidate: Candidate,
    to: UpstreamRequest,
    url: string,
  ): UpstreamRequest {
    const redirected = originOf(url) !== candidate.origin;
    if (originOf(url) === originOf(to.url)) return { ...to, url, redirected };
    // RFC 9110 section 15.4: credentials stay with the origin they are for; they do not come back.
    const headers = withoutCredentials(to.headers);
    const trusted = (request.redirectTrusted ?? this.#options.redirectTrusted)(url);
    return { ...to, url, headers, trusted, redirected };
  }
}

const start: Way = { firstByteMs: 0, kept: [], visited: [] };

/** Notes what became of a request. */
function tell({ request, attempts }: Around, url: string, outcome: Attempt['outcome']): void {
  const attempt = { url, outcome };
  attempts.push(attempt);
  request.onAttempt?.(attempt);
}

function isResumable(response: UpstreamResponse): boolean {
  const tag = fieldValue(response.headers, 'etag');
  return tag?.startsWith('"') === true && lengthOf(response) !== undefined;
}

/** Bytes of the body as declared. */
function lengthOf({ headers }: UpstreamResponse): number | undefined {
  const text = fieldValue(headers, 'content-length')?.trim() ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function nextUrl(response: UpstreamResponse): string | undefined {
  try {
    return redirectTarget(response);
  } catch (error) {
    discard(response);
    throw error;
  }
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
