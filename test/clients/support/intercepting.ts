import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataWithAuthority } from '../../support/authority.ts';
import { type GatewayProcess, gatewayProcess } from './gateway-process.ts';

const upstreamCertificate = fileURLToPath(
  new URL('../../support/tls/self-signed.pem', import.meta.url),
);

export interface Intercepting {
  readonly gateway: GatewayProcess;
  /** The file of the authority that clients are to trust. */
  readonly ca: string;
}

/** A gateway with an authority, one mount, and other hosts that the mount's files are on. */
export async function intercepting(
  ecosystem: string,
  url: string,
  hosts: readonly string[] = [],
): Promise<Intercepting> {
  const { data } = await dataWithAuthority();
  const config = {
    data,
    // The upstreams of this test are on loopback, and files beside the mount are, too.
    forwardProxy: { allow: ['localhost'] },
    mounts: [{ path: '/it', ecosystem, upstreams: [{ url }], hosts }],
  };
  const gateway = await gatewayProcess(config, { NODE_EXTRA_CA_CERTS: upstreamCertificate });
  return { gateway, ca: join(data, 'ca', 'ca.pem') };
}
