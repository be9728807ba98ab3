import type { Fault } from './issues.ts';
import { mountPath, upstreamUrl } from './url-types.ts';

/**
 * What no single value of the mounts can say: paths and upstreams given twice, settings of another
 * ecosystem. It looks at the raw data, so that it speaks also when single values are wrong.
 */
export function mountFaults(mounts: unknown): Fault[] {
  if (!Array.isArray(mounts)) return [];
  const faults: Fault[] = [];
  const taken = new Map<string, number>();
  for (const [at, mount] of mounts.entries()) {
    if (typeof mount !== 'object' || mount === null) continue;
    const { path, ecosystem, tarballs, upstreams } = mount as Readonly<Record<string, unknown>>;
    const normal = mountPath.schema.safeParse(path);
    if (normal.success) {
      const first = taken.get(normal.data);
      if (first !== undefined) {
        faults.push({
          path: ['mounts', at, 'path'],
          key: false,
          wrong: `mounts[${first}] has the path ${normal.data} already`,
          right: 'give each mount a path of its own',
        });
      } else taken.set(normal.data, at);
    }
    if (tarballs !== undefined && ecosystem !== 'npm') {
      faults.push({
        path: ['mounts', at, 'tarballs'],
        key: true,
        wrong: 'only a mount of the ecosystem npm has tarballs',
        right: 'remove it',
      });
    }
    if (ecosystem === 'oci') faults.push(...registryFaults(upstreams, at));
    faults.push(...repeatedUpstreams(upstreams, at), ...trustFaults(upstreams, at));
  }
  return faults;
}

/** Clients of registries ask below `/v2` only, and the mount's path takes its place. */
function registryFaults(upstreams: unknown, mount: number): Fault[] {
  if (!Array.isArray(upstreams)) return [];
  return upstreams.flatMap((upstream: unknown, at): Fault[] => {
    if (typeof upstream !== 'object' || upstream === null || !('url' in upstream)) return [];
    const url = upstreamUrl.schema.safeParse(upstream.url);
    if (!url.success || /\/v2(?:\/|$)/.test(url.data)) return [];
    return [
      {
        path: ['mounts', mount, 'upstreams', at, 'url'],
        key: false,
        wrong: `${url.data} is not below the /v2 of a registry`,
        right: `give ${url.data}/v2`,
      },
    ];
  });
}

/** The first upstream is what the others are compared with; who is to be verified sees no secrets. */
function trustFaults(upstreams: unknown, mount: number): Fault[] {
  if (!Array.isArray(upstreams)) return [];
  return upstreams.flatMap((upstream: unknown, at): Fault[] => {
    if (typeof upstream !== 'object' || upstream === null) return [];
    if (!('trust' in upstream) || upstream.trust !== 'verified') return [];
    const path = ['mounts', mount, 'upstreams', at];
    if (at === 0) {
      const wrong = 'the first upstream proves what the others serve';
      return [
        {
          path: [...path, 'trust'],
          key: false,
          wrong,
          right: 'make it full, or put another first',
        },
      ];
    }
    if (!('authorization' in upstream)) return [];
    const wrong = 'an upstream that is to be verified gets no credentials';
    return [
      { path: [...path, 'authorization'], key: true, wrong, right: 'remove it, or trust it fully' },
    ];
  });
}

function repeatedUpstreams(upstreams: unknown, mount: number): Fault[] {
  if (!Array.isArray(upstreams)) return [];
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [at, upstream] of upstreams.entries()) {
    if (typeof upstream !== 'object' || upstream === null || !('url' in upstream)) continue;
    const url = upstreamUrl.schema.safeParse(upstream.url);
    if (!url.success) continue;
    if (seen.has(url.data)) {
      faults.push({
        path: ['mounts', mount, 'upstreams', at, 'url'],
        key: false,
        wrong: `${url.data} is an upstream of this mount already`,
        right: 'remove one of the two',
      });
    }
    seen.add(url.data);
  }
  return faults;
}
