import { GatewayError } from '../core/errors.ts';
import { type HostPattern, isPrivateAddress, matchesHost } from '../core/network.ts';

/** `trusted`: the operator named the target, so that it may be on the inside. */
export type Admission = 'trusted' | 'guarded';

/** Whom the forward proxy serves: never an open proxy. */
export interface ForwardProxyRules {
  /** Throws a GatewayError (`http_request_denied`, client) that says what would allow the target. */
  admit(url: string): Admission;
}

export interface ForwardProxyOptions {
  readonly allow: readonly HostPattern[];
  /** The address that the gateway listens on; beyond loopback only allowed hosts are served. */
  readonly listenHost: string;
}

export function createForwardProxyRules({
  allow,
  listenHost,
}: ForwardProxyOptions): ForwardProxyRules {
  const loopback = isLoopback(listenHost);
  return {
    admit(url) {
      const { protocol, hostname, port } = new URL(url);
      if (protocol !== 'http:') {
        throw deny('the proxy takes http:// URLs; https goes through a mount');
      }
      if (matchesHost(allow, hostname, port === '' ? 80 : Number(port))) return 'trusted';
      if (!loopback) {
        throw deny(`${hostname} is not an allowed host: name it in forwardProxy.allow`);
      }
      const address = hostname.replace(/^\[|\]$/g, '');
      if (isAddress(address) && isPrivateAddress(address)) {
        throw new GatewayError(
          'destination_ip_prohibited',
          `${address} is a private address: name it in forwardProxy.allow`,
          { origin: 'client' },
        );
      }
      return 'guarded';
    },
  };
}

function isAddress(host: string): boolean {
  return host.includes(':') || /^\d+(\.\d+){3}$/.test(host);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function deny(message: string): GatewayError {
  return new GatewayError('http_request_denied', message, { origin: 'client' });
}
