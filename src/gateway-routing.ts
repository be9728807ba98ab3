import type { CachingConfig, Config, MountConfig } from './config/config.ts';
import { originOf } from './core/canonical-url.ts';
import type { HostPattern } from './core/network.ts';
import { chooseEcosystem, createEcosystem, createEcosystems } from './ecosystems/index.ts';
import { everywhere, knownHosts, patterns } from './gateway-hosts.ts';
import { createForwardProxyRules } from './surfaces/forward-proxy.ts';
import type { Routing } from './surfaces/gateway-handler.ts';
import { type Mount, type MountPolicy, MountTable } from './surfaces/mount-table.ts';
import { Router } from './surfaces/router.ts';

/** How requests find their way under one configuration. */
export function createRouting(config: Config): Routing {
  const mounts = config.mounts.map((mount) => createMount(mount, config));
  // Those of the mounts first: they know the hosts that were named for them besides.
  const ecosystems = [
    ...mounts.map(({ ecosystem }) => ecosystem),
    ...createEcosystems(everywhere(config)),
  ];
  const forwardProxy = createForwardProxyRules({
    allow: allowedHosts(config),
    listenHost: config.listen.host,
    tunnelPorts: config.forwardProxy.tunnelPorts,
    known: knownHosts(config),
  });
  const router = new Router({
    publicUrl: config.publicUrl,
    trustedProxies: patterns(config.trustedProxies),
    table: new MountTable(mounts),
    forwardProxy,
    recognise: (request) => chooseEcosystem(ecosystems, request),
    forwardPolicy: policyOf(config),
  });
  const { debugToken } = config;
  return { router, mounts, forwardProxy, ...(debugToken !== undefined && { debugToken }) };
}

/** Of the upstreams of all mounts. */
export function upstreamOrigins({ mounts }: Config): readonly string[] {
  return mounts.flatMap(({ upstreams }) => upstreams.map(({ url }) => originOf(url)));
}

/** Hosts and networks that the operator let the forward proxy reach. */
export function allowedHosts({ forwardProxy }: Config): readonly HostPattern[] {
  return patterns(forwardProxy.allow);
}

function createMount(mount: MountConfig, config: Config): Mount {
  const { path, ecosystem, redirects, indexes, tarballs, hosts } = mount;
  const [first, ...others] = mount.upstreams;
  if (!first) throw new TypeError(`The mount ${path} has no upstream`);
  return {
    path,
    ecosystem: createEcosystem(ecosystem, {
      ...everywhere(config),
      tarballs,
      hosts,
      authorized: mount.upstreams.some(({ authorization }) => authorization !== undefined),
    }),
    upstreams: [first, ...others],
    policy: policyOf(mount),
    redirects,
    hosts,
    indexes,
  };
}

/** The configuration has milliseconds, the policy the seconds of HTTP. */
function policyOf({
  negativeTtl,
  staleIfError,
  staleOnDisconnect,
  cacheControlFields,
  storeSetCookie,
  storeServerErrors,
  defaultTtl,
}: CachingConfig & Partial<Pick<MountConfig, 'defaultTtl'>>): MountPolicy {
  return {
    negativeTtl: negativeTtl / 1000,
    staleIfError: staleIfError / 1000,
    staleOnDisconnect,
    targetedFields: cacheControlFields,
    storeSetCookie,
    storeServerErrors,
    ...(defaultTtl !== undefined && { defaultTtl: defaultTtl / 1000 }),
  };
}
