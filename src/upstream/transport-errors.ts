import { errors } from 'undici';
import { type ErrorCode, GatewayError } from '../core/errors.ts';

/**
 * How far an exchange had come when it failed. `head`: some bytes of the response's head were there;
 * `cut`: the upstream ended the connection in the body.
 */
export type Phase = 'connecting' | 'waiting' | 'head' | 'body' | 'cut';

/** Codes of OpenSSL's verification results and Node's own checks that mean the certificate. */
const certificateCodes: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
]);

/**
 * What undici, Node, OpenSSL or the resolver threw, as one of our codes. Judged by the error's code
 * and the phase, never by its message; a GatewayError is passed on as it is.
 */
export function toGatewayError(error: unknown, phase: Phase): GatewayError {
  if (error instanceof GatewayError) return error;
  const [code, message] = judge(error, phase);
  const ours = code === 'proxy_internal_error';
  const retryable = !ours && code !== 'http_request_error';
  const origin = ours || code === 'http_request_error' ? 'gateway' : 'upstream';
  return new GatewayError(code, message, { origin, retryable, cause: error });
}

/** The connection, or a stream of it, ended without an error that says more. */
export function brokenOff(phase: Phase, cause?: unknown): GatewayError {
  const [code, message] = broken(phase);
  return new GatewayError(code, message, { origin: 'upstream', retryable: true, cause });
}

function judge(error: unknown, phase: Phase): [ErrorCode, string] {
  const code = codeOf(error);
  switch (code) {
    case 'UND_ERR_HEADERS_TIMEOUT':
      return ['http_response_timeout', 'the upstream did not answer in time'];
    case 'UND_ERR_BODY_TIMEOUT':
      return ['connection_read_timeout', 'the upstream stopped sending the body'];
    case 'UND_ERR_CONNECT_TIMEOUT':
      return ['connection_timeout', 'no connection to the upstream in time'];
    case 'ETIMEDOUT':
      return phase === 'connecting'
        ? ['connection_timeout', 'no connection to the upstream in time']
        : ['connection_read_timeout', 'the connection to the upstream went silent'];
    case 'ECONNREFUSED':
      return ['connection_refused', 'the upstream refused the connection'];
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return ['destination_unavailable', 'no route to the upstream'];
    case 'ENOTFOUND':
    case 'ENODATA':
    case 'ESERVFAIL':
    case 'EBADNAME':
    case 'EBADRESP':
      return ['dns_error', 'the name of the upstream does not resolve'];
    case 'ETIMEOUT':
      return ['dns_timeout', 'the name server did not answer in time'];
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      // In the head it is a parser's error that undici takes for a length that does not match.
      return phase === 'head' ? malformed : broken(phase);
    case 'UND_ERR_HEADERS_OVERFLOW':
      return ['http_protocol_error', 'the head of the response is too large'];
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return ['http_request_error', 'the request cannot be sent as it is'];
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return broken(phase);
    default:
      return judgeByFamily(code, error, phase);
  }
}

const malformed: [ErrorCode, string] = [
  'http_protocol_error',
  'the response is not well-formed HTTP/1.1',
];

function judgeByFamily(code: string, error: unknown, phase: Phase): [ErrorCode, string] {
  // The parser also complains of a body without its last chunk when the connection ends.
  if (error instanceof errors.HTTPParserError) return phase === 'cut' ? broken(phase) : malformed;
  // The same from Node's own client, which proxies what is not cached.
  if (code.startsWith('HPE_')) return malformed;
  if (code.startsWith('CERT_') || code.startsWith('CRL_') || certificateCodes.has(code)) {
    return ['tls_certificate_error', 'the certificate of the upstream is not valid'];
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
    return ['tls_protocol_error', 'no TLS connection with the upstream'];
  }
  if (code.startsWith('EAI_') || systemCallOf(error)?.startsWith('getaddrinfo')) {
    return ['dns_error', 'the name of the upstream does not resolve'];
  }
  // Any other refusal of the operating system, such as ENOBUFS, EMFILE or EACCES.
  if (systemCallOf(error) !== undefined) {
    return phase === 'connecting'
      ? ['destination_unavailable', 'the upstream cannot be connected to']
      : broken(phase);
  }
  return ['proxy_internal_error', 'the upstream request failed in the gateway'];
}

function broken(phase: Phase): [ErrorCode, string] {
  return phase === 'connecting' || phase === 'waiting'
    ? ['connection_terminated', 'the upstream closed the connection without an answer']
    : ['http_response_incomplete', 'the connection ended in the middle of the response'];
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function systemCallOf(error: unknown): string | undefined {
  const call = (error as { syscall?: unknown } | undefined)?.syscall;
  return typeof call === 'string' ? call : undefined;
}

export function abandoned(): GatewayError {
  return new GatewayError('client_gone', 'the response is not wanted any more', {
    origin: 'client',
  });
}

export function tooLong(): GatewayError {
  return new GatewayError('http_protocol_error', 'the response says that it has over 2^53 bytes', {
    origin: 'upstream',
  });
}

export function unknownCoding(): GatewayError {
  return new GatewayError('http_protocol_error', 'the response has an unknown transfer coding', {
    origin: 'upstream',
    retryable: true,
  });
}

export function noAnswer(cause: Error): GatewayError {
  return new GatewayError('http_protocol_error', 'the response is no answer to the request', {
    origin: 'upstream',
    retryable: true,
    cause,
  });
}

export function unknownStatus(): GatewayError {
  return new GatewayError(
    'http_protocol_error',
    'the upstream answered with a status that is none',
    {
      origin: 'upstream',
    },
  );
}
