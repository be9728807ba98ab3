import { GatewayError } from '../core/errors.ts';
import { type HostPattern, isPrivateAddress, matchesHost } from '../core/network.ts';

/** `trusted`: the operator named the target, so that it may be on the inside. */
export type Admission = 'trusted' | 'guarded';

/** Whom the forward proxy serves: never an open proxy. */
export interface ForwardProxyRules {
  /** Throws a GatewayError (`http_request_denied`, client) that says what would allow the target. */
  admit(url: string): Admission;
  /** The same for a tunnel to a host (brackets around IPv6, as URLs have it) and port. */
  admitTunnel(hostname: string, port: number): Admission;
}

export interface ForwardProxyOptions {
  readonly allow: readonly HostPattern[];
  /** The address that the gateway listens on; beyond loopback only allowed hosts are served. */
  readonly listenHost: string;
  /** Ports that tunnels may go to; a pattern of `allow` with a port allows that one besides. */
  readonly tunnelPorts: readonly number[];
  /** Public places that the gateway is there for, as `host:port`: tunnels to them are served. */
  readonly known: ReadonlySet<string>;
}

export function createForwardProxyRules(options: ForwardProxyOptions): ForwardProxyRules {
  const { allow, listenHost, tunnelPorts, known } = options;
  const loopback = isLoopback(listenHost);
  const withPort = allow.filter((pattern) => pattern.port !== undefined);
  const guarded = (hostname: string, isKnown: boolean): Admission => {
    if (!loopback && !isKnown) {
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
  };
  return {
    admit(url) {
      const { protocol, hostname, port } = new URL(url);
      if (protocol !== 'http:') {
        throw deny('the proxy takes http:// URLs; https goes through a mount');
      }
      return matchesHost(allow, hostname, port === '' ? 80 : Number(port))
        ? 'trusted'
        : guarded(hostname, false);
    },
    admitTunnel(hostname, port) {
      const isKnown = known.has(`${hostname}:${port}`);
      if (!tunnelPorts.includes(port) && !isKnown && !matchesHost(withPort, hostname, port)) {
        throw deny(
          `no tunnel goes to port ${port}: name it in forwardProxy.tunnelPorts, or ${hostname}:${port} in forwardProxy.allow`,
        );
      }
      return matchesHost(allow, hostname, port) ? 'trusted' : guarded(hostname, isKnown);
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
