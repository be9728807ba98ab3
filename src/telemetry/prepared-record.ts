import type { RequestRecord } from '../core/request-record.ts';
import type { RootLogger } from './logger.ts';
import { requestMembers, tenths } from './request-line.ts';
import type { RequestTotals } from './request-totals.ts';

export interface PreparedRecordOptions {
  readonly logger: RootLogger;
  readonly requests: RequestTotals;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The record of requests that differ in client, time and remaining freshness alone: most of it is made once. */
export class PreparedRecord {
  readonly #options: PreparedRecordOptions;
  readonly #count: (durationMs: number, aborted: boolean) => void;
  readonly #record: RequestRecord;
  /** The members of the line up to the duration, once there has been one. */
  #start: string | undefined;
  /** The line that was written last, and of what. */
  #members = '';
  #client = '';
  #durationMs = -1;
  #ttl: number | undefined;

  /** From the record of one of them, which was a hit. */
  constructor(record: RequestRecord, options: PreparedRecordOptions) {
    this.#options = options;
    this.#count = options.requests.repeated(record);
    this.#record = record;
  }

  /** Takes one request that is over; `ttl` in whole seconds, undefined: for ever. */
  add(client: string, startedAt: number, ttl: number | undefined, aborted: boolean): void {
    const { logger, clock } = this.#options;
    const durationMs = Math.max(0, clock() - startedAt);
    this.#count(durationMs, aborted);
    if (!logger.writesRequests) return;
    if (aborted) logger.repeated(this.#line(client, durationMs, ',"aborted":true', ttl));
    else logger.repeated(this.#usual(client, durationMs, ttl));
  }

  /** In one millisecond a client often has many alike. */
  #usual(client: string, durationMs: number, ttl: number | undefined): string {
    if (client !== this.#client || durationMs !== this.#durationMs || ttl !== this.#ttl) {
      this.#members = this.#line(client, durationMs, '', ttl);
      this.#client = client;
      this.#durationMs = durationMs;
      this.#ttl = ttl;
    }
    return this.#members;
  }

  #line(client: string, durationMs: number, left: string, ttl: number | undefined): string {
    this.#start ??= startOf(this.#record);
    const freshness = ttl === undefined ? '' : `,"ttl":${ttl}`;
    return `${this.#start}"durationMs":${tenths(durationMs)},"client":"${client}"${left}${freshness}`;
  }
}

function startOf(record: RequestRecord): string {
  const members = requestMembers(record, 0);
  return members.slice(0, members.indexOf(',"durationMs":') + 1);
}
