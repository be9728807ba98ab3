import type { SurfaceName } from '../core/artifact-request.ts';
import type { ErrorCode } from '../core/errors.ts';
import { type CacheOutcome, cacheOutcomes } from '../core/outcome.ts';
import type { RequestRecord, ResourceKind } from '../core/request-record.ts';
import { LatencyHistogram } from './histogram.ts';

/** `unknown`: never classified, because it was refused or failed before. */
export type CountedKind = ResourceKind | 'unknown';

/** Totals of the requests that have these four things in common. */
export interface RequestCell {
  readonly surface: SurfaceName;
  readonly ecosystem: string;
  readonly kind: CountedKind;
  readonly outcome: CacheOutcome;
  requests: number;
  /** Requests that were forwarded on their own account, in the sense of RFC 9211 section 2.2. */
  forwarded: number;
  aborted: number;
  bytesOut: number;
}

export interface OutcomeLatency {
  readonly duration: LatencyHistogram;
  readonly firstByte: LatencyHistogram;
}

const kinds: Record<CountedKind, number> = { artifact: 0, index: 1, passthrough: 2, unknown: 3 };
const surfaces: Record<SurfaceName, number> = {
  mount: 0,
  'forward-proxy': 1,
  connect: 2,
  admin: 3,
};
const outcomes = Object.fromEntries(cacheOutcomes.map((name, index) => [name, index])) as Record<
  CacheOutcome,
  number
>;

/**
 * Counts requests like one that was answered without an error. All that it takes of that one is here:
 * of thousands that are asked for in turn none is in the processor's cache, and each object costs.
 */
export class RepeatedRequests {
  readonly #bytesOut: number;
  readonly #isForwarded: boolean;
  readonly #firstByteMs: number | undefined;
  readonly #duration: LatencyHistogram;
  readonly #firstByte: LatencyHistogram;
  readonly #find: () => RequestCell;
  #cell: RequestCell | undefined;

  /** `find`: where they are counted. */
  constructor(
    record: RequestRecord,
    find: () => RequestCell,
    duration: LatencyHistogram,
    firstByte: LatencyHistogram,
  ) {
    this.#bytesOut = record.bytesOut;
    this.#isForwarded = isForwarded(record);
    this.#firstByteMs = record.firstByteMs;
    this.#duration = duration;
    this.#firstByte = firstByte;
    this.#find = find;
  }

  count(durationMs: number, aborted: boolean): void {
    this.#cell ??= this.#find();
    const cell = this.#cell;
    cell.requests++;
    cell.bytesOut += this.#bytesOut;
    if (this.#isForwarded) cell.forwarded++;
    if (aborted) cell.aborted++;
    this.#duration.observe(durationMs);
    if (this.#firstByteMs !== undefined) this.#firstByte.observe(this.#firstByteMs);
  }
}

/**
 * Running totals since the start, the one source of `/api/stats` and `/metrics`. Recording a request
 * is a few additions on cells that exist; the sums are made when somebody asks.
 */
export class RequestTotals {
  readonly #byEcosystem = new Map<string, (RequestCell | undefined)[]>();
  readonly #cells: RequestCell[] = [];
  readonly #latency = cacheOutcomes.map(() => ({
    duration: new LatencyHistogram(),
    firstByte: new LatencyHistogram(),
  }));
  readonly #errors = new Map<ErrorCode, number>();

  add(record: RequestRecord, durationMs: number): void {
    this.#count(this.#cell(record), record, durationMs, record.aborted === true);
  }

  /** Takes requests like this one, one by one: where they are counted is looked for once. */
  repeated(record: RequestRecord): RepeatedRequests {
    const { duration, firstByte } = this.latencyOf(record.outcome);
    return new RepeatedRequests(record, () => this.#cell(record), duration, firstByte);
  }

  /** In the order in which they first occurred. */
  get cells(): readonly Readonly<RequestCell>[] {
    return this.#cells;
  }

  get errors(): ReadonlyMap<ErrorCode, number> {
    return this.#errors;
  }

  latencyOf(outcome: CacheOutcome): OutcomeLatency {
    return this.#latency[outcomes[outcome]] as OutcomeLatency;
  }

  #count(cell: RequestCell, record: RequestRecord, durationMs: number, aborted: boolean): void {
    cell.requests++;
    cell.bytesOut += record.bytesOut;
    if (isForwarded(record)) cell.forwarded++;
    if (aborted) cell.aborted++;
    const latency = this.latencyOf(record.outcome);
    latency.duration.observe(durationMs);
    if (record.firstByteMs !== undefined) latency.firstByte.observe(record.firstByteMs);
    if (record.error !== undefined) {
      this.#errors.set(record.error, (this.#errors.get(record.error) ?? 0) + 1);
    }
  }

  #cell(record: RequestRecord): RequestCell {
    const { surface, ecosystem, outcome, kind = 'unknown' } = record;
    let cells = this.#byEcosystem.get(ecosystem);
    if (cells === undefined) {
      cells = [];
      this.#byEcosystem.set(ecosystem, cells);
    }
    const index = (surfaces[surface] * 4 + kinds[kind]) * cacheOutcomes.length + outcomes[outcome];
    let cell = cells[index];
    if (cell === undefined) {
      cell = {
        surface,
        ecosystem,
        kind,
        outcome,
        requests: 0,
        forwarded: 0,
        aborted: 0,
        bytesOut: 0,
      };
      cells[index] = cell;
      this.#cells.push(cell);
    }
    return cell;
  }
}

/** RFC 9211 section 2.2: on its own account. */
function isForwarded({ cacheStatus: { fwd, collapsed } }: RequestRecord): boolean {
  return fwd !== undefined && collapsed !== true;
}
