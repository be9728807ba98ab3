import type { GatewayError } from '../core/errors.ts';
import type { RequestRecord } from '../core/request-record.ts';

/** How a response says what became of its request: made by the telemetry from the same record. */
export interface ResponseFields {
  /** RFC 9211. */
  cacheStatus(record: RequestRecord): string;
  /** RFC 9209. */
  proxyStatus(record: RequestRecord, error: GatewayError): string;
  /** Which mirror brought it, where there was a choice: the value of `Server-Timing`. */
  serverTiming(record: RequestRecord): string | undefined;
  /** Our entry in `Via`. */
  readonly via: string;
}
