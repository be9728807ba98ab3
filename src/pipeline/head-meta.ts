import type { VaryField } from '../core/artifact-meta.ts';
import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { endToEnd } from '../policy/headers.ts';
import { formatHttpDate } from '../policy/http-date.ts';
import type { HeadMeta } from './in-flight.ts';
import type { Resource } from './resource.ts';

/** The head of a response with the times of its exchange, in milliseconds since the epoch. */
export interface TimedHead {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly requestTime: number;
  readonly responseTime: number;
}

const bodyLength: ReadonlySet<string> = new Set(['content-length']);

/** What is stored of a response besides its body. */
export function headMeta(
  { request }: Resource,
  { status, headers, requestTime, responseTime }: TimedHead,
  vary: readonly VaryField[],
): HeadMeta {
  const fields = withoutFields(endToEnd(headers), bodyLength);
  // RFC 9110 section 6.6.1: a recipient with a clock records when a response without `Date` came.
  const isDated = fieldValue(fields, 'date') !== undefined;
  const dated = isDated ? fields : [...fields, 'Date', formatHttpDate(responseTime)];
  const meta = { status, headers: dated, vary, requestTime, responseTime };
  return request.mount === undefined ? meta : { ...meta, mount: request.mount };
}
