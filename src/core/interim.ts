import type { RawHeaders } from './raw-headers.ts';

/** Hears of an interim response (1xx), with its fields as received. RFC 9110 section 15.2. */
export type InterimSink = (status: number, headers: RawHeaders) => void;
