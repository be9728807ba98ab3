import { GatewayError } from '../core/errors.ts';
import type { MirrorExplanation, MirrorFault, MirrorsFigures } from '../core/mirror-figures.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamPurpose } from '../core/upstream-observer.ts';
import { adaptedTimeouts, type Timeouts } from './adaptive-timeouts.ts';
import type { Candidate } from './candidates.ts';
import { connectionsFor } from './connections.ts';
import type { Delivered, DeliveryEnd } from './delivery.ts';
import type { DownloadRequest } from './downloader.ts';
import type { Ranked } from './mirror-choice.ts';
import { distance, inOrder, rankMirrors } from './mirror-choice.ts';
import { explanationOf, figuresOf } from './mirror-figures.ts';
import { MirrorGates } from './mirror-gates.ts';
import {
  type ExplainedPlan,
  expectedBytesOf,
  isConditional,
  onlyPlan,
  type Places,
  type Plan,
  type PlannedOption,
  placesFor,
} from './mirror-plan.ts';
import { MirrorRules } from './mirror-rules.ts';
import type { MirrorSettings } from './mirror-settings.ts';
import { MirrorTracker } from './mirror-tracker.ts';
import { RequestBudget } from './request-budget.ts';
import { retryAfterMs } from './retry-after.ts';
import { ExpectedSizes, type SizeClass, sizeClassOf } from './size-class.ts';
import { TokenBucket } from './token-bucket.ts';
import { gravity } from './verdict.ts';

/** Requests at a time to an origin of which nobody says anything: others' mirrors are spared. */
const builtInConcurrency = { full: 256, verified: 8 };
/** The share of requests that may go to a mirror only to learn of it, and that may be raced. */
const exploringShare = 0.1;
const hedgingShare = 0.05;
/** A larger body is no occasion to try somebody out. */
const mostExploredBytes = 16 * 1024 * 1024;
const mostHedgedBytes = 1024 * 1024;
/** Bytes per second, where no mirror's throughput is known. */
const usualRate = 10_000_000;

/**
 * What is known of all upstreams and mirrors, and what follows from it: which one to ask, how many
 * requests at a time, how long to wait. One for a gateway.
 */
export class Mirrors {
  readonly tracker = new MirrorTracker();
  readonly gates = new MirrorGates();
  readonly sizes = new ExpectedSizes();
  readonly #now: () => number;
  readonly #exploring = new RequestBudget(exploringShare, { start: 1, most: 2 });
  readonly #hedging = new RequestBudget(hedgingShare, { start: 0, most: 5 });
  #settings: MirrorSettings = {};
  #rules = new MirrorRules([]);
  #bandwidth: TokenBucket | undefined;
  #requests = 0;
  #hedges = 0;

  constructor(now: () => number, settings: MirrorSettings = {}) {
    this.#now = now;
    this.configure(settings);
  }

  /** Takes other settings from the next request on; what was measured stays. */
  configure(settings: MirrorSettings): void {
    const { bandwidth, rules = [] } = settings;
    this.#settings = settings;
    this.#rules = new MirrorRules(rules);
    if (bandwidth !== this.#bandwidth?.bytesPerSecond) {
      this.#bandwidth =
        bandwidth === undefined ? undefined : new TokenBucket(bandwidth, this.#now());
    }
  }

  get settings(): MirrorSettings {
    return this.#settings;
  }

  /** Decides for a request that is sent now. */
  plan(request: DownloadRequest): Plan {
    const places = placesFor(request, this.#rules);
    if (places.mode === 'only') return onlyPlan(request, places, this.sizes);
    const plan = this.#planned(request, places);
    this.#requests += 1;
    this.#exploring.earn();
    this.#hedging.earn();
    if (plan.ranking.reason === 'exploration') this.#exploring.spend();
    return plan;
  }

  /** What `plan` would decide now, changing nothing. */
  explain(request: DownloadRequest): MirrorExplanation {
    const rules = new MirrorRules(this.#rules.rules);
    const plan = this.#planned(request, placesFor(request, rules));
    return explanationOf(request.url, plan);
  }

  /** As `Downloader.next`. */
  next(request: DownloadRequest): string | undefined {
    const places = placesFor(request, this.#rules);
    const { candidates, mode } = places;
    const [first] = mode === 'only' ? candidates : this.#planned(request, places).order;
    return first && this.hasPlace(first, request.purpose) ? first.origin : undefined;
  }

  /** Whether a candidate would have a place at once. */
  hasPlace(candidate: Candidate, purpose: UpstreamPurpose | undefined): boolean {
    const { origin } = candidate;
    const taken = this.gates.active(origin) + this.gates.queued(origin);
    return taken < this.concurrency(candidate, purpose);
  }

  /** Whether one more request may be raced; it is then counted. */
  mayHedge(): boolean {
    const may = this.#hedging.spend();
    if (may) this.#hedges += 1;
    return may;
  }

  concurrency({ concurrency, trust }: Candidate, purpose: UpstreamPurpose | undefined): number {
    const { concurrency: global, ecosystemConcurrency } = this.#settings;
    return (
      concurrency ??
      ecosystemConcurrency?.get(purpose?.ecosystem ?? '') ??
      global ??
      builtInConcurrency[trust]
    );
  }

  /** As `Downloader.connections`. */
  connections(request: DownloadRequest): number {
    const { candidates } = placesFor(request, this.#rules);
    const places = candidates.map((each) => this.concurrency(each, request.purpose));
    return connectionsFor(places, this.#settings);
  }

  /** The buckets that a candidate's bytes are taken from. */
  buckets({ origin, bandwidth }: Candidate): readonly TokenBucket[] {
    const own =
      bandwidth === undefined ? [] : [this.gates.bucket(origin, bandwidth, performance.now())];
    return this.#bandwidth === undefined ? own : [...own, this.#bandwidth];
  }

  /** What to wait for a candidate where another one could be asked instead. */
  timeouts({ origin }: Candidate): Timeouts | undefined {
    const { timeouts } = this.#settings;
    return timeouts && adaptedTimeouts(this.tracker.of(origin), timeouts);
  }

  /** A request goes to the origin, which has so many places. */
  asked(origin: string, places: number): void {
    const record = this.tracker.of(origin);
    record.requests += 1;
    record.places = places;
    record.breaker.asked(this.#now());
  }

  /** There is no head: the attempt ended with this error. */
  failed(origin: string, sizeClass: SizeClass, error: GatewayError): void {
    const record = this.tracker.of(origin);
    const grave = gravity(error);
    if (grave === 'none') record.breaker.abandoned();
    else record.failed(sizeClass, grave === 'severe', this.#now());
  }

  /**
   * A head that says that the mirror cannot serve now; `headers` where it asks to be left alone,
   * `beside`: it serves other parts of the same object meanwhile.
   */
  refused(
    origin: string,
    sizeClass: SizeClass,
    { headers, beside }: { headers: RawHeaders | undefined; beside: boolean },
  ): void {
    const now = this.#now();
    const record = this.tracker.of(origin);
    if (headers === undefined && beside) record.crowded(sizeClass, now);
    else if (headers === undefined) record.failed(sizeClass, false, now);
    else record.throttled(sizeClass, retryAfterMs(headers, now), now);
  }

  /** A head that is an answer. `bytes`: as declared. */
  answered(
    { origin }: Candidate,
    { method, purpose }: DownloadRequest,
    { status, bytes }: { status: number; bytes: number | undefined },
    { firstByteMs, expected }: { firstByteMs: number; expected: SizeClass },
  ): void {
    const now = this.#now();
    const whole = method === 'GET' && status === 200 && bytes !== undefined;
    if (whole) this.sizes.observe(purpose, bytes, now);
    const sizeClass = bytes === undefined ? expected : sizeClassOf(bytes);
    const record = this.tracker.of(origin);
    record.answered(sizeClass, firstByteMs, now);
    record.succeeded(sizeClass, now);
  }

  /** Another mirror answered first, after so many milliseconds. */
  late(origin: string, sizeClass: SizeClass, milliseconds: number): void {
    this.tracker.of(origin).late(sizeClass, milliseconds, this.#now());
  }

  /** A body has ended. */
  delivered(
    origin: string,
    sizeClass: SizeClass,
    how: DeliveryEnd,
    seen: Delivered & { readonly beside: number },
  ): void {
    const now = this.#now();
    const record = this.tracker.of(origin);
    record.bytes += seen.bytes;
    if (how instanceof GatewayError && gravity(how) !== 'none')
      record.failed(sizeClass, false, now);
    if (how === 'whole' && seen.bytes > 0) record.silences.observe(seen.longestSilenceMs);
    if (!seen.paced) record.transferred(sizeClass, seen, now);
  }

  /** A connection was opened. */
  connected(origin: string, milliseconds: number): void {
    this.tracker.of(origin).connected(milliseconds, this.#now());
  }

  /** What a mirror served was not what it should have been. */
  demote(origin: string, sizeClass: SizeClass, fault: MirrorFault): void {
    const record = this.tracker.of(origin);
    record.faults.set(fault, (record.faults.get(fault) ?? 0) + 1);
    // Another representation, or none of this object, says nothing of other objects.
    if (fault === 'wrong-bytes' || fault === 'short') {
      record.failed(sizeClass, fault === 'wrong-bytes', this.#now());
    }
  }

  figures(): MirrorsFigures {
    const { hits, misses, remembered } = this.#rules;
    return {
      mirrors: [...this.tracker.entries].map(([origin, record]) =>
        figuresOf(origin, record, this.gates, this.#now()),
      ),
      hedging: { requests: this.#requests, hedges: this.#hedges },
      mapping: { hits, misses, entries: remembered },
    };
  }

  #planned(request: DownloadRequest, places: Places): ExplainedPlan {
    const { segment, mode } = places;
    const { purpose, headers } = request;
    const expectedBytes = expectedBytesOf(request, segment, this.sizes);
    const sizeClass = sizeClassOf(expectedBytes);
    const options = this.#options(places, purpose, { expectedBytes, sizeClass });
    const plain = mode === 'measured' && !isConditional(headers);
    const ranking =
      mode === 'measured'
        ? rankMirrors(options, {
            explore: plain && this.#exploring.available && expectedBytes <= mostExploredBytes,
            spread: segment !== undefined,
          })
        : inOrder(options);
    const hedgeable = plain && expectedBytes <= mostHedgedBytes;
    const late = hedgeable ? this.#late(ranking.order) : undefined;
    const order = ranking.order.map(({ option }) => option.candidate);
    return { ...places, order, ranking, expectedBytes, sizeClass, lateMs: late };
  }

  #options(
    { candidates, mode }: Places,
    purpose: UpstreamPurpose | undefined,
    { expectedBytes, sizeClass }: { expectedBytes: number; sizeClass: SizeClass },
  ): readonly PlannedOption[] {
    const now = this.#now();
    const records = candidates.map(({ origin }) => this.tracker.known(origin));
    const rates =
      mode === 'measured' ? records.flatMap((record) => record?.rate(sizeClass) ?? []) : [];
    return candidates.map((candidate, at) => {
      const record = records[at];
      const active = this.gates.active(candidate.origin);
      const known = { now, active, usualRate: rates.length > 0 ? Math.max(...rates) : usualRate };
      return {
        candidate,
        estimate: record?.estimate(sizeClass, expectedBytes, known),
        state: record?.breaker.stateAt(now) ?? 'closed',
        pausedUntil: record?.breaker.openUntil ?? 0,
        active,
        queued: this.gates.queued(candidate.origin),
        concurrency: this.concurrency(candidate, purpose),
        distance: distance(candidate.region, this.#settings.region),
      };
    });
  }

  #late([first, second]: readonly Ranked<PlannedOption>[]): number | undefined {
    if (first === undefined || second === undefined || second.option.state !== 'closed') {
      return undefined;
    }
    const { origin } = first.option.candidate;
    return this.tracker.known(origin)?.firstByteDelays.quantile(0.95);
  }
}
