import type { GatewayPlace } from './tool.ts';

export interface Registry {
  /** As images are named by it: `docker.io`. */
  readonly name: string;
  /** Where its API is. */
  readonly host: string;
  /** The upstream as an origin. */
  readonly origin: string;
}

const hubHosts: ReadonlySet<string> = new Set([
  'registry-1.docker.io',
  'index.docker.io',
  'docker.io',
]);

/** The registries that a gateway has mounts for, each once. */
export function registriesOf({ mounts }: GatewayPlace): readonly Registry[] {
  const found = new Map<string, Registry>();
  for (const { ecosystem, path, upstreams } of mounts) {
    const [first] = upstreams;
    if (ecosystem !== 'oci' || first === undefined) continue;
    const { host, origin } = new URL(first);
    // `/v2/<name>` names the registry; `/v2` is the default one.
    const named = /^\/v2\/([^/]+)$/.exec(path)?.[1];
    const name = hubHosts.has(host) ? 'docker.io' : (named ?? host);
    if (!found.has(name)) found.set(name, { name, host, origin });
  }
  return [...found.values()];
}

/** Whether it is Docker Hub. */
export function isOfficial({ name }: Registry): boolean {
  return name === 'docker.io';
}
