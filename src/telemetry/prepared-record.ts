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
  readonly #record: RequestRecord;
  /** The members of the line up to the duration. */
  readonly #start: string;

  /** From the record of one of them, which was a hit. */
  constructor(record: RequestRecord, options: PreparedRecordOptions) {
    this.#options = options;
    this.#record = record;
    const members = requestMembers(record, 0);
    this.#start = members.slice(0, members.indexOf(',"durationMs":') + 1);
  }

  /** Takes one request that is over; `ttl` in whole seconds, undefined: for ever. */
  add(client: string, startedAt: number, ttl: number | undefined, aborted: boolean): void {
    const { logger, requests, clock } = this.#options;
    const durationMs = Math.max(0, clock() - startedAt);
    requests.add(aborted ? { ...this.#record, aborted } : this.#record, durationMs);
    if (!logger.enabled('info')) return;
    const left = aborted ? ',"aborted":true' : '';
    const freshness = ttl === undefined ? '' : `,"ttl":${ttl}`;
    logger.request(
      `${this.#start}"durationMs":${tenths(durationMs)},"client":"${client}"${left}${freshness}`,
    );
  }
}
