import type { Config } from './config/config.ts';
import { type HostPattern, parseHostPattern } from './core/network.ts';
import { createEcosystems } from './ecosystems/index.ts';

/** What an ecosystem is made from where no mount says more. */
export function everywhere({ npmCanonicalRegistry, aptHosts }: Config) {
  return {
    canonicalRegistry: npmCanonicalRegistry,
    aptHosts,
    tarballs: 'auto',
    hosts: [],
    authorized: false,
  } as const;
}

/** The https hosts that the gateway is there for, as `host:port`: of its mounts and its ecosystems. */
export function knownHosts(config: Config): ReadonlySet<string> {
  const urls = [
    ...config.mounts.flatMap(({ upstreams, hosts }) => [
      ...upstreams.map(({ url }) => url),
      ...hosts.map(secureUrl),
    ]),
    ...createEcosystems(everywhere(config)).flatMap(({ hosts }) => hosts.map(secureUrl)),
  ].map((url) => new URL(url));
  return new Set(
    urls
      .filter(({ protocol }) => protocol === 'https:')
      .map(({ hostname, port }) => `${hostname}:${port || 443}`),
  );
}

/** The hosts whose tunnels are intercepted once there is an authority that may. */
export function interceptedHosts(config: Config): readonly HostPattern[] {
  return patterns(config.forwardProxy.intercept ?? [...knownHosts(config)]);
}

/** The hosts that the gateway's own HTTPS listener is reached by; IPv6 without brackets. */
export function ownHosts({ publicUrl, listen }: Config): readonly string[] {
  const named = [
    ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname]),
    ...listen.tls.names,
    ...(isWildcard(listen.host) ? [] : [listen.host]),
    'localhost',
    '127.0.0.1',
    '::1',
  ];
  return [...new Set(named.map((host) => host.toLowerCase().replace(/^\[|\]$/g, '')))];
}

/** What an authority for this gateway has to be allowed to sign for. */
export function certifiedHosts(config: Config): readonly HostPattern[] {
  return [
    ...patterns([...knownHosts(config)]),
    ...interceptedHosts(config),
    ...patterns(ownHosts(config)),
  ];
}

/** Patterns of a checked configuration. */
export function patterns(texts: readonly string[]): readonly HostPattern[] {
  return texts.flatMap((text) => {
    const parsed = parseHostPattern(text);
    return parsed.ok ? [parsed.pattern] : [];
  });
}

function secureUrl(host: string): string {
  return `https://${host}/`;
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
