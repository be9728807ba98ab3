/**
 * The closed list of what can go wrong. The names that RFC 9209 section 2.3 registers are used as
 * they stand, because they reach the client in `Proxy-Status`; ours are at the end.
 */
export type ErrorCode =
  | 'dns_timeout'
  | 'dns_error'
  | 'destination_not_found'
  | 'destination_unavailable'
  | 'destination_ip_prohibited'
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'connection_read_timeout'
  | 'tls_protocol_error'
  | 'tls_certificate_error'
  | 'http_request_error'
  | 'http_request_denied'
  | 'http_response_incomplete'
  | 'http_protocol_error'
  | 'http_response_timeout'
  | 'http_upgrade_failed'
  | 'proxy_internal_error'
  | 'proxy_configuration_error'
  | 'proxy_loop_detected'
  // Not registered: ours.
  | 'redirect_loop'
  | 'digest_mismatch'
  | 'representation_changed'
  | 'stored_body_missing'
  | 'not_cached'
  | 'storage_full'
  | 'storage_failed'
  | 'client_gone'
  | 'shutting_down';

/** Whose fault it is: it decides between a 4xx and a 5xx, and who is named in the log. */
export type ErrorOrigin = 'client' | 'upstream' | 'storage' | 'gateway';

export interface GatewayErrorOptions {
  readonly origin: ErrorOrigin;
  /** The same request may well succeed on another attempt, connection or upstream. */
  readonly retryable?: boolean;
  /** Status of the answer that is not good enough, where one came. */
  readonly receivedStatus?: number;
  readonly cause?: unknown;
}

/** The only error that crosses a room's border. Judge it by `code`, never by its message. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly origin: ErrorOrigin;
  readonly retryable: boolean;
  readonly receivedStatus: number | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.origin = options.origin;
    this.retryable = options.retryable ?? false;
    this.receivedStatus = options.receivedStatus;
  }
}
