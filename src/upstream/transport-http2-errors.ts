import { constants } from 'node:http2';
import { GatewayError } from '../core/errors.ts';
import { brokenOff, type Phase, toGatewayError } from './transport-errors.ts';

/** What is known of a stream that ended before its response did. */
export interface BrokenStream {
  /** Of the stream or of its connection, where there is one. */
  readonly cause: unknown;
  /** RFC 9113 section 7. */
  readonly code: number;
  readonly phase: Phase;
  /** Bytes are missing of those that the response declared. */
  readonly isShort: boolean;
}

/** Codes by which Node says that it does not understand the upstream; also what it may say of us. */
const violations: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_STREAM_CLOSED,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
  // Node's word for a head that is too large.
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
]);

/** Why a stream broke off, as one of our codes; judged by codes and the phase, never by messages. */
export function http2Error({ cause, code, phase, isShort }: BrokenStream): GatewayError {
  // RFC 9113 section 8.1.1: a length that does not match makes it malformed; here it ended early.
  if (phase !== 'waiting' && isShort) return brokenOff(phase, cause);
  const name = (cause as { code?: unknown } | undefined)?.code;
  if (name === 'ERR_HTTP2_ERROR' || violations.has(code)) return malformedHttp2(cause);
  const isOfHttp2 = typeof name === 'string' && name.startsWith('ERR_HTTP2_');
  if (cause === undefined || isOfHttp2) return brokenOff(phase, cause);
  return toGatewayError(cause, phase);
}

/** The response is none that HTTP/2 allows. */
export function malformedHttp2(cause?: unknown): GatewayError {
  return new GatewayError('http_protocol_error', 'the response is not well-formed HTTP/2', {
    origin: 'upstream',
    retryable: true,
    cause,
  });
}
