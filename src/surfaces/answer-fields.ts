import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { formatHttpDate } from '../policy/http-date.ts';
import type { ResponseFields } from './response-fields.ts';

/**
 * The fields of an answer as the client gets them: its own, then what became of the request. `now` in
 * milliseconds since the epoch.
 */
export function answerFields(
  headers: RawHeaders,
  record: RequestRecord,
  own: ResponseFields,
  now: number,
): string[] {
  const fields = [...headers, 'Via', own.via, 'Cache-Status', own.cacheStatus(record)];
  // RFC 9110 section 6.6.1: what comes without one is dated by whoever has a clock.
  if (fieldValue(headers, 'date') === undefined) fields.push('Date', formatHttpDate(now));
  const timing = own.serverTiming(record);
  if (timing !== undefined) fields.push('Server-Timing', timing);
  return fields;
}
