import type { UpstreamTarget } from '../core/artifact-request.ts';
import type { EcosystemId } from '../core/ecosystem-ids.ts';
import type { CachingConfig, MountConfig } from './config.ts';

/** A mount as given: by a file, or by this host. */
export type MountValues = Pick<MountConfig, 'path' | 'ecosystem'> & {
  readonly [K in keyof CachingConfig]?: CachingConfig[K] | undefined;
} & Partial<Pick<MountConfig, 'defaultTtl' | 'hosts' | 'tarballs'>> & {
    readonly redirects?: 'auto' | 'follow' | 'forward' | undefined;
    readonly indexes?: 'auto' | 'ordered' | 'equal' | undefined;
    readonly upstreams: readonly ({ readonly url: string } & {
      readonly [K in keyof Omit<UpstreamTarget, 'url'>]?: UpstreamTarget[K] | undefined;
    })[];
  };

/** Fills in what a mount leaves to the global settings or to its ecosystem. */
export function completeMount(mount: MountValues, fallback: CachingConfig): MountConfig {
  const { path, ecosystem, redirects = 'auto', indexes = 'auto' } = mount;
  const automatic = ecosystem === 'generic' ? 'forward' : 'follow';
  return {
    path,
    ecosystem,
    upstreams: mount.upstreams.map(
      ({ url, authorization, concurrency, bandwidth, region, trust }): UpstreamTarget => ({
        url,
        ...(authorization !== undefined && { authorization }),
        ...(concurrency !== undefined && { concurrency }),
        ...(bandwidth !== undefined && { bandwidth }),
        ...(region !== undefined && { region }),
        ...(trust !== undefined && { trust }),
      }),
    ),
    negativeTtl: mount.negativeTtl ?? fallback.negativeTtl,
    staleIfError: mount.staleIfError ?? fallback.staleIfError,
    staleOnDisconnect: mount.staleOnDisconnect ?? fallback.staleOnDisconnect,
    cacheControlFields: mount.cacheControlFields ?? fallback.cacheControlFields,
    storeSetCookie: mount.storeSetCookie ?? fallback.storeSetCookie,
    storeServerErrors: mount.storeServerErrors ?? fallback.storeServerErrors,
    // About what public registries say of their indexes, for registries that say nothing.
    defaultTtl: mount.defaultTtl ?? (hasHeuristics(ecosystem) ? undefined : 300_000),
    redirects: redirects === 'auto' ? automatic : redirects,
    indexes: indexes === 'auto' ? (ecosystem === 'generic' ? 'equal' : 'ordered') : indexes,
    hosts: mount.hosts ?? [],
    tarballs: mount.tarballs ?? 'auto',
  };
}

/** What changes when its own schedule says so, and tells by `Last-Modified`. */
function hasHeuristics(ecosystem: EcosystemId): boolean {
  return ecosystem === 'apt' || ecosystem === 'generic';
}
