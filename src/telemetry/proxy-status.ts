import type { ErrorCode } from '../core/errors.ts';
import { redactText } from './redact.ts';
import { serialiseItem, Token } from './structured-field.ts';

export interface ProxyStatus {
  readonly error: ErrorCode;
  /** One sentence. */
  readonly detail?: string;
  /** Host and port of the upstream, `host:port`, or its origin. */
  readonly nextHop?: string;
  /** Status that the upstream answered, where it did. */
  readonly receivedStatus?: number;
}

/**
 * Our entry of the `Proxy-Status` field (RFC 9209), for responses that the gateway makes itself:
 * `millrace; error=connection_refused; next-hop="host:port"; details="…"`. Codes that are not
 * registered are said by the nearest registered one, with ours at the head of `details`.
 */
export function proxyStatusField(status: ProxyStatus): string {
  const registered = registeredError(status.error);
  const own = registered === status.error ? undefined : status.error;
  const details = [own, status.detail].filter((part) => part !== undefined).join(': ');
  return serialiseItem(new Token('millrace'), {
    error: new Token(registered),
    'next-hop': status.nextHop?.replace(/^https?:\/\//, ''),
    'received-status': status.receivedStatus,
    details: details === '' ? undefined : redactText(details),
  });
}

/** The error type of RFC 9209 section 2.3 that says most of what a code of ours means. */
function registeredError(code: ErrorCode): string {
  switch (code) {
    case 'dns_timeout':
    case 'dns_error':
    case 'destination_not_found':
    case 'destination_unavailable':
    case 'destination_ip_prohibited':
    case 'connection_refused':
    case 'connection_terminated':
    case 'connection_timeout':
    case 'connection_read_timeout':
    case 'tls_protocol_error':
    case 'tls_certificate_error':
    case 'http_request_error':
    case 'http_request_denied':
    case 'http_response_incomplete':
    case 'http_protocol_error':
    case 'http_response_timeout':
    case 'http_upgrade_failed':
    case 'proxy_internal_error':
    case 'proxy_configuration_error':
    case 'proxy_loop_detected':
      return code;
    case 'redirect_loop':
    case 'digest_mismatch':
      return 'http_protocol_error';
    case 'representation_changed':
      return 'http_response_incomplete';
    case 'stored_body_missing':
    case 'storage_full':
    case 'storage_failed':
      return 'proxy_internal_error';
    case 'client_gone':
      return 'http_request_error';
    case 'not_cached':
    case 'shutting_down':
      // Section 2.3.29: answered without an attempt to reach the next hop.
      return 'proxy_internal_response';
  }
}
