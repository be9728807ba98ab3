import type { RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamResponse } from './upstream.ts';

/** What a response says before its body. */
export type HeadFields = Pick<
  UpstreamResponse,
  'status' | 'headers' | 'origin' | 'url' | 'requestTime' | 'responseTime'
>;

/** The part of an `UpstreamResponse` that all of them have alike. */
export class ResponseHead implements HeadFields {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly origin: string;
  readonly url: string;
  readonly requestTime: number;
  readonly responseTime: number;

  /** `headers`: in place of the head's own. */
  constructor(head: HeadFields, headers: RawHeaders = head.headers) {
    this.status = head.status;
    this.headers = headers;
    this.origin = head.origin;
    this.url = head.url;
    this.requestTime = head.requestTime;
    this.responseTime = head.responseTime;
  }
}
