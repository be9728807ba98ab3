import { type DockerRegistry, dockerRegistry } from './docker-registry.ts';
import { type IsolatedNetwork, isolatedNetwork } from './isolated.ts';
import { namedHost, ownName } from './named.ts';

/** A registry over TLS whose image a client gets by its own name, through the gateway as a proxy. */
export interface ProxiedRegistry {
  readonly registry: DockerRegistry;
  readonly image: string;
  /** The image's digest. */
  readonly digest: string;
  /** Has nothing but the gateway. */
  readonly network: IsolatedNetwork;
  /** What a client needs to go through the proxy and to trust it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where this machine has a name of its own: `isNamed`. */
export async function proxiedRegistry(layer: Buffer): Promise<ProxiedRegistry> {
  const named = await namedHost();
  const { ca, chain, key } = named;
  const registry = await dockerRegistry({ host: ownName, chain, key });
  const digest = await registry.push('team/nail:v1', layer);
  const gateway = await named.gateway('oci', `https://${registry.host}/v2`);
  return {
    registry,
    image: `${registry.host}/team/nail:v1`,
    digest,
    network: await isolatedNetwork(gateway.url),
    env: { HTTPS_PROXY: gateway.url, SSL_CERT_FILE: ca },
  };
}
