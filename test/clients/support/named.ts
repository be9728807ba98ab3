import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Authority, createAuthority } from '../../../src/tls/authority.ts';
import { writeAuthority } from '../../../src/tls/authority-files.ts';
import { temporaryFolder } from '../../support/gateway.ts';
import { HttpOrigin } from '../../support/http-origin.ts';
import { type GatewayProcess, gatewayProcess } from './gateway-process.ts';

/**
 * The name of this machine, where it leads here: Go's clients use no proxy for `localhost` and loopback
 * addresses.
 */
export const ownName: string = hostname();

/** Whether it can stand for a host in a test. */
export const isNamed: boolean =
  ownName !== 'localhost' && (await lookup(ownName).then(Boolean, () => false));

/** An authority that the gateway has and trusts, and what it signs for this machine's name. */
export interface NamedHost {
  readonly data: string;
  /** The file of the authority. */
  readonly ca: string;
  readonly chain: string;
  readonly key: string;
  /** An origin over TLS at `https://<own name>:port`. */
  origin(): Promise<HttpOrigin>;
  /** A gateway that intercepts for a mount with this upstream. */
  gateway(ecosystem: string, url: string, hosts?: readonly string[]): Promise<GatewayProcess>;
}

export async function namedHost(): Promise<NamedHost> {
  const data = await temporaryFolder();
  const pems = await createAuthority({ permitted: undefined, now: Date.now() });
  await writeAuthority(data, pems);
  const ca = join(data, 'ca', 'ca.pem');
  const { chain, key } = await (await Authority.open(pems)).certify([ownName], Date.now());
  return {
    data,
    ca,
    chain,
    key,
    async origin() {
      const server = createServer({ cert: chain, key, keepAliveTimeout: 60_000 });
      server.listen(0, ownName);
      await once(server, 'listening');
      const origin = new HttpOrigin(server, `https://${ownName}`);
      onTestFinished(() => origin.close());
      return origin;
    },
    gateway(ecosystem, url, hosts = []) {
      const mount = { path: ecosystem === 'oci' ? '/v2' : '/it', ecosystem, upstreams: [{ url }] };
      const config = { data, forwardProxy: { allow: [ownName] }, mounts: [{ ...mount, hosts }] };
      return gatewayProcess(config, { NODE_EXTRA_CA_CERTS: ca });
    },
  };
}
