import type { GatewayError } from '../core/errors.ts';

/** The one place that turns an error into a status. RFC 9110 section 15, RFC 9209 section 2.3. */
export function statusOf({ code, origin }: GatewayError): number {
  switch (code) {
    case 'http_request_error':
      return 400;
    case 'http_request_denied':
      return 403;
    case 'destination_ip_prohibited':
      // Whom the client named, or where an upstream led us.
      return origin === 'client' ? 403 : 502;
    case 'destination_not_found':
      return origin === 'client' ? 404 : 502;
    case 'proxy_loop_detected':
      return 508;
    case 'not_cached':
    case 'dns_timeout':
    case 'connection_timeout':
    case 'connection_read_timeout':
    case 'http_response_timeout':
      return 504;
    case 'shutting_down':
      return 503;
    case 'client_gone':
      return 408;
    case 'proxy_internal_error':
    case 'proxy_configuration_error':
    case 'stored_body_missing':
    case 'storage_full':
    case 'storage_failed':
      return 500;
    case 'dns_error':
    case 'destination_unavailable':
    case 'connection_refused':
    case 'connection_terminated':
    case 'tls_protocol_error':
    case 'tls_certificate_error':
    case 'http_response_incomplete':
    case 'http_protocol_error':
    case 'http_upgrade_failed':
    case 'redirect_loop':
    case 'digest_mismatch':
    case 'representation_changed':
      return 502;
  }
}
