import type { RequestRecord } from '../core/request-record.ts';
import { inOnePiece, type LineEnds, lineEnd } from './line-ends.ts';
import type { RootLogger } from './logger.ts';
import { requestMembers } from './request-line.ts';
import type { RepeatedRequests, RequestTotals } from './request-totals.ts';

export interface PreparedRecordOptions {
  readonly logger: RootLogger;
  readonly requests: RequestTotals;
  /** Those of all prepared records. */
  readonly ends: LineEnds;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The record of requests that differ in client, time and remaining freshness alone: most of it is made once. */
export class PreparedRecord {
  readonly #options: PreparedRecordOptions;
  readonly #requests: RepeatedRequests;
  readonly #record: RequestRecord;
  /** The members of the line up to the duration, once there has been one. */
  #start: string | undefined;

  /** From the record of one of them, which was a hit. */
  constructor(record: RequestRecord, options: PreparedRecordOptions) {
    this.#options = options;
    this.#requests = options.requests.repeated(record);
    this.#record = record;
  }

  /** Takes one request that is over; `ttl` in whole seconds, undefined: for ever. */
  add(client: string, startedAt: number, ttl: number | undefined, aborted: boolean): void {
    const { logger, ends, clock } = this.#options;
    const durationMs = Math.max(0, clock() - startedAt);
    this.#requests.count(durationMs, aborted);
    if (!logger.writesRequests) return;
    this.#start ??= startOf(this.#record);
    const end = aborted ? lineEnd(client, durationMs, ttl, true) : ends.of(client, durationMs, ttl);
    logger.repeated(this.#start, end);
  }
}

function startOf(record: RequestRecord): string {
  const members = requestMembers(record, 0);
  return inOnePiece(members.slice(0, members.indexOf(',"durationMs":')));
}
