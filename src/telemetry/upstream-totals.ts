import type { ErrorCode } from '../core/errors.ts';
import type {
  UpstreamFailureEvent,
  UpstreamObserver,
  UpstreamPurpose,
  UpstreamResponseEvent,
} from '../core/upstream-observer.ts';
import { LatencyHistogram } from './histogram.ts';
import type { CountedKind } from './request-totals.ts';

/** `none`: no response head came. */
export const statusClasses = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export interface UpstreamCell {
  readonly origin: string;
  /** Requests by the class of the answer, in the order of `statusClasses`. */
  readonly byClass: number[];
  readonly failures: Map<ErrorCode, number>;
  readonly firstByte: LatencyHistogram;
  bytes: number;
  /** What the last response that told of a rate limit said. */
  rateLimit?: UpstreamResponseEvent['rateLimit'];
}

export interface PurposeCell {
  readonly ecosystem: string;
  readonly kind: CountedKind;
  requests: number;
}

/** Origins beyond this many share one cell: on a forward proxy clients choose the names. */
const mostOrigins = 100;
const collapsedName = 'other';

/** Running totals of what was asked of upstreams, for `/api/stats` and `/metrics`. */
export class UpstreamTotals implements UpstreamObserver {
  readonly #cells = new Map<string, UpstreamCell>();
  readonly #purposes: PurposeCell[] = [];
  #configured = 0;

  /** `configured`: origins that always have a cell of their own, as the mounts' upstreams should. */
  constructor(configured: readonly string[] = []) {
    this.keep(configured);
  }

  /** Adds origins that always have a cell of their own, after a reload. */
  keep(origins: readonly string[]): void {
    for (const origin of origins) {
      if (this.#cells.has(origin)) continue;
      this.#cells.set(origin, newCell(origin));
      this.#configured++;
    }
  }

  upstreamResponse(event: UpstreamResponseEvent): void {
    const cell = this.#cell(event.origin);
    const index = Math.min(5, Math.max(1, Math.trunc(event.status / 100)));
    cell.byClass[index] = (cell.byClass[index] as number) + 1;
    cell.firstByte.observe(event.firstByteMs);
    if (event.rateLimit !== undefined) cell.rateLimit = event.rateLimit;
    this.#purpose(event).requests++;
  }

  upstreamFailure(event: UpstreamFailureEvent): void {
    const cell = this.#cell(event.origin);
    cell.failures.set(event.code, (cell.failures.get(event.code) ?? 0) + 1);
    // Where the head had come, the request has been counted with it.
    if (event.responded === true) return;
    cell.byClass[0] = (cell.byClass[0] as number) + 1;
    this.#purpose(event).requests++;
  }

  upstreamBytes(origin: string, bytes: number): void {
    this.#cell(origin).bytes += bytes;
  }

  get cells(): Iterable<Readonly<UpstreamCell>> {
    return this.#cells.values();
  }

  get purposes(): readonly Readonly<PurposeCell>[] {
    return this.#purposes;
  }

  #cell(origin: string): UpstreamCell {
    const known = this.#cells.get(origin);
    if (known !== undefined) return known;
    const full = this.#cells.size >= this.#configured + mostOrigins;
    const name = full ? collapsedName : origin;
    const cell = this.#cells.get(name) ?? newCell(name);
    this.#cells.set(name, cell);
    return cell;
  }

  #purpose(purpose: UpstreamPurpose): PurposeCell {
    const ecosystem = purpose.ecosystem ?? 'unknown';
    const kind = purpose.kind ?? 'unknown';
    // A handful of entries: a loop is quicker than making a key.
    for (const cell of this.#purposes) {
      if (cell.ecosystem === ecosystem && cell.kind === kind) return cell;
    }
    const cell: PurposeCell = { ecosystem, kind, requests: 0 };
    this.#purposes.push(cell);
    return cell;
  }
}

/** Requests sent to this upstream. */
export function requestsOf(cell: Readonly<UpstreamCell>): number {
  return cell.byClass.reduce((sum, count) => sum + count, 0);
}

function newCell(origin: string): UpstreamCell {
  return {
    origin,
    byClass: statusClasses.map(() => 0),
    failures: new Map(),
    firstByte: new LatencyHistogram(),
    bytes: 0,
  };
}
