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
import { maxRedirects, redirectTarget } from './redirect.ts';
import { sizeClassOf } from './size-class.ts';
import type { Transport, UpstreamResponse } from './upstream.ts';
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
  async #follow(
    around: Around,
    candidate: Candidate,
    signal: AbortSignal | undefined,
  ): Promise<Followed> {
    const { request, plan } = around;
    const { method, purpose, onInterim, redirects } = request;
    // HTTP/2 is for many small bodies; a large one would be as fast as its window, and hold up others.
    const lane = request.lane ?? plan.sizeClass === 'large';
    const timeouts = plan.mode === 'only' ? undefined : this.#options.mirrors.timeouts(candidate);
    const follows = isSafe(request) && !(redirects === 'forward' && candidate.trust === 'full');
    let { url } = candidate;
    let trusted = candidate.trusted ?? request.trusted;
    let headers = fieldsFor(request.headers, candidate);
    let redirected = false;
    let firstByteMs = 0;
    let kept: RawHeaders = none;
    let visited: Set<string> | undefined;
    for (;;) {
      const to = { method, url, headers, trusted, redirected, purpose, lane, timeouts, onInterim };
      let response: UpstreamResponse;
      try {
        response = await this.#transport.send(to, signal);
      } catch (error) {
        if (error instanceof GatewayError) tell(around, url, error);
        throw error;
      }
      tell(around, url, response.status);
      firstByteMs += response.responseTime - response.requestTime;
      const target = follows ? nextUrl(response) : undefined;
      if (target === undefined) return { response, firstByteMs, kept };
      discard(response);
      kept = joined(keptOf(response, request.keptFields ?? []), kept);
      visited ??= new Set([url]);
      if (visited.has(target) || visited.size > maxRedirects) throw redirectLoop();
      visited.add(target);
      if (originOf(target) !== originOf(url)) {
        // RFC 9110 section 15.4: credentials stay with the origin they are for; they do not come back.
        headers = withoutCredentials(headers);
        trusted = (request.redirectTrusted ?? this.#options.redirectTrusted)(target);
      }
      url = target;
      redirected = originOf(url) !== candidate.origin;
    }
  }
}

const none: RawHeaders = [];

/** The fields that a body proven by other means may bring along: no cookies, no policies, no names. */
const provenNames: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'last-modified',
  'transfer-encoding',
]);

/** Notes what became of a request. */
function tell({ request, attempts }: Around, url: string, outcome: Attempt['outcome']): void {
  const attempt = { url, outcome };
  attempts.push(attempt);
  request.onAttempt?.(attempt);
}

/** The named fields of a response. */
function keptOf({ headers }: UpstreamResponse, names: readonly string[]): RawHeaders {
  return names.flatMap((name) => {
    const value = fieldValue(headers, name);
    return value === undefined ? [] : [name, value];
  });
}

/** A response's own fields, and of others those that it has not. */
function joined(own: RawHeaders, others: RawHeaders): RawHeaders {
  if (others.length === 0) return own;
  const missing = others.filter((_, at) => !hasField(own, others[at - (at % 2)] ?? ''));
  return missing.length === 0 ? own : [...own, ...missing];
}

function hasField(headers: RawHeaders, name: string): boolean {
  return fieldValue(headers, name) !== undefined;
}

function provenFields(headers: RawHeaders): RawHeaders {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (provenNames.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return kept;
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
